//! A mode of another type.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0o600u16)]
fn main() {}
