//! A name that is not given.

use pidfile::pidfile;

#[pidfile("/run/app.pid", held)]
fn main() {}
