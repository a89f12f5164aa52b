//! A number where a user's name is needed.

use pidfile::pidfile;

#[pidfile(owner = 33)]
fn main() {}
