//! A hidden return type that cannot say it.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn numbers() -> impl Iterator<Item = u8> {
    0..9
}

fn main() {
    numbers();
}
