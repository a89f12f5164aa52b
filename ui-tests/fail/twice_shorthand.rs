//! The string that stands alone is the path already.

use pidfile::pidfile;

#[pidfile("/run/a.pid", path = "/run/b.pid")]
fn main() {}
