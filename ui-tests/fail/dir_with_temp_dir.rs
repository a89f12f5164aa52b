//! Two directories.

use pidfile::pidfile;

#[pidfile(dir = "/run", temp_dir)]
fn main() {}
