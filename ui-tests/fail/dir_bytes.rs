//! Bytes where a string is needed.

use pidfile::pidfile;

#[pidfile(dir = b"/run")]
fn main() {}
