//! A word that cannot be a name.

use pidfile::pidfile;

#[pidfile("/run/app.pid", held = self)]
fn main() {}
