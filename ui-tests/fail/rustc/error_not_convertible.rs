//! An error type that the runtime's does not convert into.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn main() -> Result<(), String> {
    Ok(())
}
