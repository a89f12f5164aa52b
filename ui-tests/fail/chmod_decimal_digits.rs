//! The classic mistake.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 600)]
fn main() {}
