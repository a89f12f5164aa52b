//! A key that is given again.

use pidfile::pidfile;

#[pidfile(path = "/run/a.pid", chmod = 0o600, path = "/run/b.pid")]
fn main() {}
