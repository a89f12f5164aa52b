//! A mode that somebody has computed.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 384)]
fn main() {}
