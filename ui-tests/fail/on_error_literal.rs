//! A result where a function is needed.

use pidfile::pidfile;

#[pidfile(on_error = 3)]
fn main() {}
