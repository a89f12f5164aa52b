//! The path ends in a name already.

use pidfile::pidfile;

#[pidfile(path = "/run/a.pid", name = "b")]
fn main() {}
