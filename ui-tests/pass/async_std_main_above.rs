//! `#[async_std::main]` above ours.

use std::path::Path;

use pidfile::pidfile;

#[async_std::main]
#[pidfile("app.pid")]
async fn main() -> pidfile::Result<()> {
    async_std::task::yield_now().await;
    assert!(Path::new("app.pid").exists());
    Ok(())
}
