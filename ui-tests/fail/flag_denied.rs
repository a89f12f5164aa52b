//! A flag that is denied.

use pidfile::pidfile;

#[pidfile(path = "/run/app.pid", !at_exit)]
fn main() {}
