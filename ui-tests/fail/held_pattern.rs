//! The guard has a name, not a pattern.

use pidfile::pidfile;

#[pidfile("/run/app.pid", held = _)]
fn main() {}
