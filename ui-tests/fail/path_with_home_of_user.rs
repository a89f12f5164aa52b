//! The home of another user.

use pidfile::pidfile;

#[pidfile(path = "~daemon/app.pid")]
fn main() {}
