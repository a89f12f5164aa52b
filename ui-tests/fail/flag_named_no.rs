//! Words that switch something off.

use pidfile::pidfile;

#[pidfile(no_lock, without_signals)]
fn main() {}
