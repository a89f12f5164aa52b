//! A pidfile that everybody may write.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0o666)]
fn main() {}
