//! The way a map is written elsewhere.

use pidfile::pidfile;

#[pidfile(path => "/run/app.pid")]
fn main() {}
