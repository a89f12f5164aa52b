//! Not to wait needs no argument.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = "0s")]
fn main() {}
