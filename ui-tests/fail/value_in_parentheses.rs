//! The way other attributes are written.

use pidfile::pidfile;

#[pidfile(path("/run/app.pid"))]
fn main() {}
