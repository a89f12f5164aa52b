//! A mode as the shell takes it.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = "0600")]
fn main() {}
