//! Two owners.

use pidfile::pidfile;

#[pidfile(uid = 33, owner = "www-data")]
fn main() {}
