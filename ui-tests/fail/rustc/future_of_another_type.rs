//! The type that the future is to yield is known inside it, so the value itself is pointed at.

use std::future::Future;

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn number() -> impl Future<Output = Result<u8, pidfile::Error>> {
    async move { "one" }
}

fn main() {
    drop(number());
}
