//@ editions: 2018 2021 2024
//! Futures in a crate that links the standard library through the runtime only.

#![no_std]

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use pidfile::pidfile;

#[pidfile("app.pid")]
async fn function() -> pidfile::Result<u8> {
    Ok(1)
}

#[pidfile("app.pid", on_error = |_| 0)]
fn block() -> impl Future<Output = u8> {
    async { 2 }
}

fn main() {
    let mut context = Context::from_waker(Waker::noop());
    let first = pin!(function()).poll(&mut context);
    assert!(matches!(first, Poll::Ready(Ok(1))));
    assert_eq!(pin!(block()).poll(&mut context), Poll::Ready(2));
}
