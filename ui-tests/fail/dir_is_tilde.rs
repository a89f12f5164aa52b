//! The shell's home is not ours.

use pidfile::pidfile;

#[pidfile(dir = "~")]
fn main() {}
