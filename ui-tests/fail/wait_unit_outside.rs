//! A unit outside of the string.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = 90s)]
fn main() {}
