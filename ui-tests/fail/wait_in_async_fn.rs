//! Waiting would block the executor.

use pidfile::pidfile;

#[pidfile("/run/app.pid", wait = "1m")]
async fn serve() {}

fn main() {
    drop(serve());
}
