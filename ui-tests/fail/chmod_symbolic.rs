//! A mode as the shell takes it.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = "u+rw")]
fn main() {}
