//! A unit that has no short name.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = "5 seconds")]
fn main() {}
