//! Waiting for a holder to leave, and telling it to.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = "5s", replace = "10s")]
fn main() {}
