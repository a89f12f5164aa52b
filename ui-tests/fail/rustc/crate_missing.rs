//! A runtime that does not exist.

use pidfile::pidfile;

#[pidfile("/run/app.pid", crate = nope)]
fn main() {}
