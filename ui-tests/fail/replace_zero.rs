//! No time to leave.

use pidfile::pidfile;

#[pidfile("/run/app.pid", replace = "0s")]
fn main() {}
