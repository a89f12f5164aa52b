//! Text that only `format!` fills in.

use pidfile::pidfile;

#[pidfile(path = "/run/{instance}/app.pid")]
fn main() {}
