//! A misspelt key.

use pidfile::pidfile;

#[pidfile(pth = "/run/app.pid")]
fn main() {}
