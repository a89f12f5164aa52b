//! A handler that takes nothing.

use pidfile::pidfile;

#[pidfile(on_error = complain)]
fn number() -> u32 {
    1
}

fn complain() -> u32 {
    0
}

fn main() {
    number();
}
