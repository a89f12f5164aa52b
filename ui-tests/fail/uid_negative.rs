//! The number that means nobody.

use pidfile::pidfile;

#[pidfile(uid = -1)]
fn main() {}
