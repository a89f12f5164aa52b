//! A future with the attribute is as small as the one that is written by hand.

use std::future::{Future, ready};
use std::time::Duration;

use pidfile::{Options, PidFile, pidfile};

/// What a reference to the guard may cost.
const MARGIN: usize = 8;

#[pidfile("app.pid", chmod = 0o600, wait = Duration::from_secs(u64::from(limit)), on_error = |_| 0)]
fn synchronous(limit: u8) -> u8 {
    limit
}

#[pidfile("app.pid", chmod = 0o600)]
async fn attributed(count: u64) -> Result<u64, pidfile::Error> {
    ready(()).await;
    Ok(count)
}

async fn by_hand(count: u64) -> Result<u64, pidfile::Error> {
    let _held = Options::new().path("app.pid").chmod(0o600).acquire()?;
    ready(()).await;
    Ok(count)
}

#[pidfile(path = format!("{count}.pid"))]
fn boxed(count: u64) -> impl Future<Output = pidfile::Result<[u8; 64]>> {
    async move {
        let block = [1; 64];
        ready(()).await;
        Ok(block)
    }
}

fn boxed_by_hand(count: u64) -> impl Future<Output = pidfile::Result<[u8; 64]>> {
    async move {
        let _held = PidFile::acquire(format!("{count}.pid"))?;
        let block = [1; 64];
        ready(()).await;
        Ok(block)
    }
}

fn main() {
    for (with, without) in [
        (size_of_val(&attributed(1)), size_of_val(&by_hand(1))),
        (size_of_val(&boxed(1)), size_of_val(&boxed_by_hand(1))),
    ] {
        assert!(with <= without + MARGIN, "{with} bytes, {without} by hand");
    }
    assert_eq!(synchronous(1), 1);
}
