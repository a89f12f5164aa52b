//! A closure with another result.

use pidfile::pidfile;

#[pidfile(on_error = |_| "zero")]
fn number() -> u32 {
    1
}

fn main() {
    number();
}
