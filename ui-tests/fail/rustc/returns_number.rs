//! A return type that cannot say it.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn number() -> u32 {
    1
}

fn main() {
    number();
}
