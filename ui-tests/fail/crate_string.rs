//! The runtime is found by a path, be it in a string.

use pidfile::pidfile;

#[pidfile(crate = "no path")]
fn main() {}
