//! What the future yields cannot say it.

use std::future::Future;
use std::pin::Pin;

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn number() -> Pin<Box<dyn Future<Output = u8>>> {
    Box::pin(async move { 1 })
}

fn main() {
    drop(number());
}
