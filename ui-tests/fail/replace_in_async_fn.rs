//! Replacing waits too.

use pidfile::pidfile;

#[pidfile("/run/app.pid", replace = "10s")]
async fn serve() {}

fn main() {
    drop(serve());
}
