//! The runtime is found by a path.

use pidfile::pidfile;

#[pidfile(crate = 1 + 1)]
fn main() {}
