//! Digits that could be meant either way.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 420)]
fn main() {}
