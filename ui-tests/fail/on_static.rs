//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
static NUMBER: u8 = 1;

fn main() {
    println!("{NUMBER}");
}
