//! A flag that is computed, but no `bool`.

use pidfile::pidfile;

#[pidfile(lock = 1 + 1)]
fn main() {}
