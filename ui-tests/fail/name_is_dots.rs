//! A name that means a directory.

use pidfile::pidfile;

#[pidfile(name = "..")]
fn main() {}
