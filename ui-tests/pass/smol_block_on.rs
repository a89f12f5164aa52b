//! `smol` has no attribute: the pidfile is taken before its executor, or in a task.

use std::path::Path;

use pidfile::pidfile;

#[pidfile("task.pid")]
async fn task(name: &'static str) -> pidfile::Result<bool> {
    smol::future::yield_now().await;
    Ok(Path::new(name).exists())
}

#[pidfile("app.pid", wait = "1m")]
fn main() {
    smol::block_on(async {
        assert!(smol::spawn(task("task.pid")).await.unwrap());
        assert!(Path::new("app.pid").exists());
    });
}
