//! A mode in another base.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0b110_000_000)]
fn main() {}
