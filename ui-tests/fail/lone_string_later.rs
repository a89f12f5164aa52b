//! Only the first argument may be a bare string.

use pidfile::pidfile;

#[pidfile(chmod = 0o600, "/run/app.pid")]
fn main() {}
