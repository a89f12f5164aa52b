//! A number that is computed.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = 3u64 * 2)]
fn main() {}
