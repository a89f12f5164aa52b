//! A number where a string is needed.

use pidfile::pidfile;

#[pidfile(path = 3)]
fn main() {}
