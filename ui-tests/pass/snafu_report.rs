//! `#[snafu::report]` below ours; above, it has changed the return type.

use std::path::Path;

use pidfile::pidfile;

#[snafu::report]
#[pidfile("above.pid", on_error = snafu::Report::from_error)]
fn above() -> Result<(), pidfile::Error> {
    assert!(Path::new("above.pid").exists());
    Ok(())
}

#[pidfile("main.pid")]
#[snafu::report]
fn main() -> Result<(), pidfile::Error> {
    assert!(Path::new("main.pid").exists());
    let _ = above();
    Ok(())
}
