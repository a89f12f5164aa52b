//! A value that the body declares.

use pidfile::pidfile;

#[pidfile(path = place)]
fn main() {
    let place = "/run/app.pid";
    println!("{place}");
}
