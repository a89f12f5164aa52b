//! Nothing after the sign.

use pidfile::pidfile;

#[pidfile(path =)]
fn main() {}
