//! The attribute may depend on the configuration.

use std::path::Path;

use pidfile::pidfile;

#[cfg_attr(all(), pidfile("app.pid", on_error = |_| false))]
fn with() -> bool {
    Path::new("app.pid").exists()
}

#[cfg_attr(any(), pidfile("app.pid"))]
fn without() -> bool {
    Path::new("app.pid").exists()
}

#[cfg(any())]
#[pidfile("app.pid", colour = "red")]
fn absent() {}

#[pidfile("app.pid")]
fn parameters(#[cfg(any())] absent: u8, #[cfg(all())] present: u8) -> pidfile::Result<u8> {
    #[cfg(any())]
    absent();
    Ok(present)
}

fn main() {
    assert!(with());
    assert!(!without());
    assert_eq!(parameters(1).unwrap(), 1);
}
