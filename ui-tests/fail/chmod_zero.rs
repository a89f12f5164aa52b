//! No permission at all, and not in octal.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 0)]
fn main() {}
