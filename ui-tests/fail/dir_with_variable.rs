//! The same in braces, and not at the beginning.

use pidfile::pidfile;

#[pidfile(dir = "/home/${USER}/run")]
fn main() {}
