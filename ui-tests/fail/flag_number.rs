//! A flag is no number.

use pidfile::pidfile;

#[pidfile(lock = 1)]
fn main() {}
