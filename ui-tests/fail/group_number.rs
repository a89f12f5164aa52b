//! A number where a group's name is needed.

use pidfile::pidfile;

#[pidfile(group = -1)]
fn main() {}
