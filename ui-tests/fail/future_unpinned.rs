//! A boxed future that needs no pin.

use std::future::ready;

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn soon(number: u8) -> Box<dyn Future<Output = u8> + Unpin> {
    Box::new(ready(number))
}

fn main() {
    drop(soon(1));
}
