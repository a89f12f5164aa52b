//! Not an item.

use pidfile::pidfile;

fn hold(#[pidfile] number: u8) {
    println!("{number}");
}

fn main() {
    hold(1);
}
