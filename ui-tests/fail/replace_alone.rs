//! No end, for a process that has been told to leave.

use pidfile::pidfile;

#[pidfile("/run/app.pid", replace)]
fn main() {}
