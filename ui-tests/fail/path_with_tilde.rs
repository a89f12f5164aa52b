//! The shell's home is not ours.

use pidfile::pidfile;

#[pidfile(path = "~/app.pid")]
fn main() {}
