//! A directory instead of a file.

use pidfile::pidfile;

#[pidfile(path = "/run/app/")]
fn main() {}
