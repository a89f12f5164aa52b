//! A pidfile that its owner cannot write.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0o444)]
fn main() {}
