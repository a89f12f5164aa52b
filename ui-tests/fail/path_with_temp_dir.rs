//! The path is in a directory already.

use pidfile::pidfile;

#[pidfile("/run/a.pid", temp_dir)]
fn main() {}
