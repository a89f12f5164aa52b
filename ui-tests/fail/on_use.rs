//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
use std::process::abort;

fn main() {
    abort();
}
