//! A comparison.

use pidfile::pidfile;

#[pidfile(path == "/run/app.pid")]
fn main() {}
