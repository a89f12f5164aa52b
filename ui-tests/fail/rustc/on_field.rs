//! Not an item.

use pidfile::pidfile;

struct State {
    #[pidfile]
    number: u8,
}

fn main() {
    println!("{}", State { number: 1 }.number);
}
