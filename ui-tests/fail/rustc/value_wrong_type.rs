//! A value that is no path.

use pidfile::pidfile;

#[pidfile(path = Some("/run/app.pid"))]
fn main() {}
