//! Not an item.

use pidfile::pidfile;

fn main() {
    let hold = #[pidfile]
    || {};
    hold();
}
