//! A value that does not exist.

use pidfile::pidfile;

#[pidfile(path = undefined)]
fn main() {}
