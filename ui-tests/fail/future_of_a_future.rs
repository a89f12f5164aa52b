//! A future that yields another one.

use std::pin::Pin;

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
async fn connection(count: u8) -> (Pin<Box<dyn Future<Output = ()>>>, u8) {
    (Box::pin(async move { drop(count) }), count)
}

fn main() {
    drop(connection(1));
}
