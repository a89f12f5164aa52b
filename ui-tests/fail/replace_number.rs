//! A duration without its unit.

use pidfile::pidfile;

#[pidfile("/run/app.pid", replace = 10)]
fn main() {}
