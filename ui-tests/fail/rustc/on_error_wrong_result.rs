//! A handler with another result.

use pidfile::pidfile;

#[pidfile(on_error = complain)]
fn number() -> u32 {
    1
}

fn complain(_: pidfile::Error) -> String {
    String::new()
}

fn main() {
    number();
}
