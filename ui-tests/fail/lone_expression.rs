//! Only a string may stand alone.

use pidfile::pidfile;

#[pidfile(concat!("/run/", "app.pid"))]
fn main() {}
