//! `#[async_std::main]` and `#[async_std::test]`'s kind: the pidfile is held in the runtime.

use std::path::Path;

use pidfile::pidfile;

#[pidfile("app.pid", held = guard)]
#[async_std::main]
async fn main() -> pidfile::Result<()> {
    async_std::task::yield_now().await;
    assert!(Path::new("app.pid").exists());
    assert!(guard.verify().is_ok());
    Ok(())
}
