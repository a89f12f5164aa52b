//! The same in a name, without a name in it.

use pidfile::pidfile;

#[pidfile(name = "app-{}")]
fn main() {}
