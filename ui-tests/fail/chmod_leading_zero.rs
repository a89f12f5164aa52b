//! Octal as C writes it.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0600)]
fn main() {}
