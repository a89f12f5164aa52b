//! A runtime that does not exist is one error, however often it would be used.

use pidfile::pidfile;

#[pidfile("/run/app.pid", crate = ::pf, on_error = |_| 1, lock)]
fn number() -> u8 {
    2
}

fn main() {
    number();
}
