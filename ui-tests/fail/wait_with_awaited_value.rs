//! A value that is awaited keeps the pidfile inside the runtime.

use pidfile::pidfile;

async fn path() -> &'static str {
    "/run/app.pid"
}

#[pidfile(path = path().await, wait = "5s")]
#[tokio::main(flavor = "current_thread")]
async fn main() {}
