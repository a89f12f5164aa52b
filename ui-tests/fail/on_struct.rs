//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
struct State {
    number: u8,
}

fn main() {
    println!("{}", State { number: 1 }.number);
}
