//! Only a string may stand alone.

use pidfile::pidfile;

#[pidfile(600)]
fn main() {}
