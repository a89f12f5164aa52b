//! A flag, where it is meant to be none.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = true)]
fn main() {}
