//! Two arguments without a comma between them.

use pidfile::pidfile;

#[pidfile(path = "/run/app.pid" chmod = 0o600)]
fn main() {}
