//! A key that resembles none.

use pidfile::pidfile;

#[pidfile(colour = "red")]
fn main() {}
