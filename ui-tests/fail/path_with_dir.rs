//! The path begins with a directory already.

use pidfile::pidfile;

#[pidfile(dir = "/run", path = "/run/a.pid")]
fn main() {}
