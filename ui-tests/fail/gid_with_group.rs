//! Two groups.

use pidfile::pidfile;

#[pidfile(group = "www-data", gid = 33)]
fn main() {}
