//! A key that cannot stand alone.

use pidfile::pidfile;

#[pidfile(path)]
fn main() {}
