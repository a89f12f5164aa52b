//! Five of what?

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = "5")]
fn main() {}
