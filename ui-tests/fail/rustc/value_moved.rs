//! A value that the body needs too.

use pidfile::pidfile;

#[pidfile(path = path)]
fn hold(path: String) {
    println!("{path}");
}

fn main() {
    hold(String::new());
}
