//! The same in an async function.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
async fn number() -> u32 {
    1
}

fn main() {
    drop(number());
}
