//@ test
//! `#[serial]` below: first the turn, then the pidfile.

use std::path::Path;

use pidfile::pidfile;
use serial_test::serial;

#[test]
#[pidfile("app.pid")]
#[serial]
fn first() {
    assert!(Path::new("app.pid").exists());
}

#[test]
#[pidfile("app.pid")]
#[serial]
fn second() -> pidfile::Result<()> {
    assert!(Path::new("app.pid").exists());
    Ok(())
}

#[pidfile("app.pid")]
#[serial]
#[test]
fn third() {
    assert!(Path::new("app.pid").exists());
}

#[pidfile("app.pid")]
#[tokio::test]
#[serial]
async fn fourth() {
    tokio::task::yield_now().await;
    assert!(Path::new("app.pid").exists());
}
