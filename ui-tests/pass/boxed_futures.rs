//! Futures in other dresses: the pidfile is held until they are done.

use std::future::{IntoFuture, ready};
use std::path::Path;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, LocalBoxFuture, TryFuture};
use pidfile::pidfile;

type Held = pidfile::Result<bool>;

async fn is_held(name: &str) -> bool {
    ready(()).await;
    Path::new(name).exists()
}

#[pidfile("boxed.pid")]
fn boxed(count: u8) -> BoxFuture<'static, Held> {
    async move { Ok(count == 1 && is_held("boxed.pid").await) }.boxed()
}

#[pidfile("local.pid")]
fn local() -> LocalBoxFuture<'static, Held> {
    (async { Ok(is_held("local.pid").await) }).boxed_local()
}

#[pidfile("by_path.pid")]
fn by_path() -> Pin<Box<dyn Future<Output = Held> + Send>> {
    FutureExt::boxed(async move { Ok(is_held("by_path.pid").await) })
}

#[pidfile("hidden.pid")]
fn hidden() -> Pin<Box<impl Future<Output = Held>>> {
    Box::pin(async { Ok(is_held("hidden.pid").await) })
}

#[pidfile("unpinned.pid")]
fn unpinned() -> Box<dyn Future<Output = Held> + Unpin> {
    Box::new(Box::pin(async { Ok(is_held("unpinned.pid").await) }))
}

#[pidfile("later.pid")]
fn later() -> impl IntoFuture<Output = Held> {
    async { Ok(is_held("later.pid").await) }
}

#[pidfile("trying.pid")]
fn trying() -> impl TryFuture<Ok = bool, Error = pidfile::Error> + Future<Output = Held> {
    async { Ok(is_held("trying.pid").await) }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return done;
        }
    }
}

fn main() {
    assert!(run(boxed(1)).unwrap());
    assert!(run(local()).unwrap());
    assert!(run(by_path()).unwrap());
    assert!(run(hidden()).unwrap());
    assert!(run(unpinned()).unwrap());
    assert!(run(later().into_future()).unwrap());
    assert!(run(trying()).unwrap());
}
