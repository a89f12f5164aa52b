//! A mode in another base.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0x180)]
fn main() {}
