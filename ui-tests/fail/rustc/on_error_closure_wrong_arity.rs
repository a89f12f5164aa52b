//! A closure that takes nothing.

use pidfile::pidfile;

#[pidfile(on_error = || 0)]
fn number() -> u32 {
    1
}

fn main() {
    number();
}
