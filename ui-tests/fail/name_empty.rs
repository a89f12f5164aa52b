//! No name at all.

use pidfile::pidfile;

#[pidfile(name = "")]
fn main() {}
