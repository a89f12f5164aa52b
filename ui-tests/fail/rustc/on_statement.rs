//! Not an item.

use pidfile::pidfile;

fn main() {
    #[pidfile]
    let number = 1;
    println!("{number}");
}
