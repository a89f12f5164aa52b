//! `#[instrument]` on either side, with errors recorded.

use std::path::Path;

use pidfile::pidfile;
use tracing::instrument;

type Result<T> = std::result::Result<T, pidfile::Error>;

fn held() -> bool {
    Path::new("app.pid").exists()
}

#[instrument(err)]
#[pidfile("app.pid")]
fn above(number: u8) -> Result<u8> {
    assert!(held());
    Ok(number)
}

#[pidfile("app.pid")]
#[instrument(err)]
fn below(number: u8) -> Result<u8> {
    assert!(held());
    Ok(number)
}

#[instrument(err)]
#[pidfile("app.pid")]
async fn above_async(number: u8) -> Result<u8> {
    tokio::task::yield_now().await;
    assert!(held());
    Ok(number)
}

#[pidfile("app.pid")]
#[instrument(err)]
async fn below_async(number: u8) -> Result<u8> {
    tokio::task::yield_now().await;
    assert!(held());
    Ok(number)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(above(1).unwrap(), 1);
    assert_eq!(below(2).unwrap(), 2);
    assert_eq!(above_async(3).await.unwrap(), 3);
    assert_eq!(below_async(4).await.unwrap(), 4);
    assert!(!held());
}
