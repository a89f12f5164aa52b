//! What runs at compile time cannot hold a file.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
const fn number() -> u8 {
    1
}

fn main() {
    println!("{}", number());
}
