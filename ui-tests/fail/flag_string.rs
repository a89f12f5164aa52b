//! A flag is no string.

use pidfile::pidfile;

#[pidfile(signals = "yes")]
fn main() {}
