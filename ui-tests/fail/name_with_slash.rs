//! A path where a name is needed.

use pidfile::pidfile;

#[pidfile(name = "app/one")]
fn main() {}
