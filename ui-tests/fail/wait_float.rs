//! Five of what?

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = 0.5)]
fn main() {}
