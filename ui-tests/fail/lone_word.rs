//! A value where a key is expected.

use pidfile::pidfile;

const FILE: &str = "/run/app.pid";

#[pidfile(FILE)]
fn main() {
    println!("{FILE}");
}
