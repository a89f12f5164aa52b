//! The function would be over before its future runs.

use std::future::Future;
use std::pin::Pin;

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn run(future: impl Future<Output = ()> + 'static) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(future)
}

fn main() {
    drop(run(async {}));
}
