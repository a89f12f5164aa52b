//! A name where a path is expected.

use pidfile::pidfile;

#[pidfile("thermod")]
fn main() {}
