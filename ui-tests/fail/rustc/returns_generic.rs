//! A return type that may not be able to say it.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn same<T>(value: T) -> T {
    value
}

fn main() {
    same(1);
}
