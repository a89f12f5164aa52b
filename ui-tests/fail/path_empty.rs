//! No path at all.

use pidfile::pidfile;

#[pidfile("")]
fn main() {}
