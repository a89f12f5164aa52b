//@ test
//! `#[tokio::test]` and `#[test]` on either side.

use std::path::Path;

use pidfile::pidfile;
use tokio::runtime::Handle;

fn outside(path: &str) -> &str {
    assert!(Handle::try_current().is_err());
    path
}

#[tokio::test]
#[pidfile(path = outside("a.pid"))]
async fn above() {
    tokio::task::yield_now().await;
    assert!(Path::new("a.pid").exists());
}

#[pidfile(path = outside("b.pid"))]
#[tokio::test]
async fn below() -> pidfile::Result<()> {
    tokio::task::yield_now().await;
    assert!(Path::new("b.pid").exists());
    Ok(())
}

#[test]
#[pidfile("c.pid")]
fn plain_above() {
    assert!(Path::new("c.pid").exists());
}

#[pidfile("d.pid")]
#[test]
#[should_panic = "on purpose"]
fn plain_below() {
    assert!(Path::new("d.pid").exists());
    panic!("on purpose");
}
