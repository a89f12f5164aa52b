//! A number that is no mode.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = -1)]
fn main() {}
