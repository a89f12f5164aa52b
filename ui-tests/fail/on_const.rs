//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
const NUMBER: u8 = 1;

fn main() {
    println!("{NUMBER}");
}
