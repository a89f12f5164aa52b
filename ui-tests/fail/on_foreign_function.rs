//! A function without a body.

use pidfile::pidfile;

unsafe extern "C" {
    #[pidfile("/run/app.pid")]
    safe fn abort() -> !;
}

fn main() {
    abort();
}
