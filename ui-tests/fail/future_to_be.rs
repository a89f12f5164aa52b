//! What will be made a future only later.

use std::future::{IntoFuture, ready};

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn later() -> impl IntoFuture<Output = u8> + Send {
    let number = 1;
    ready(number)
}

fn main() {
    drop(later());
}
