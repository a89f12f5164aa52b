//! The number that means: leave it as it is.

use pidfile::pidfile;

#[pidfile(gid = 4294967295)]
fn main() {}
