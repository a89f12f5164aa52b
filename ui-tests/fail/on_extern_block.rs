//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
unsafe extern "C" {
    safe fn abort() -> !;
}

fn main() {
    abort();
}
