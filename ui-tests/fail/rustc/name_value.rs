//! Not an argument list.

use pidfile::pidfile;

#[pidfile = "/run/app.pid"]
fn main() {}
