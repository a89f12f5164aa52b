//! A name where a number is needed.

use pidfile::pidfile;

#[pidfile(uid = "www-data")]
fn main() {}
