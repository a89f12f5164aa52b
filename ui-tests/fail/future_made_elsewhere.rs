//! The function would be over before its future runs.

use std::future::Future;

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn run() -> impl Future<Output = ()> {
    let seconds = 1;
    async move { println!("{seconds}") }
}

fn main() {
    drop(run());
}
