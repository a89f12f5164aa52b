//! The way a field is written.

use pidfile::pidfile;

#[pidfile(path: "/run/app.pid")]
fn main() {}
