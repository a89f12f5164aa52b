//! What is not a name.

use pidfile::pidfile;

#[pidfile("/run/app.pid", held = self::guard)]
fn main() {}
