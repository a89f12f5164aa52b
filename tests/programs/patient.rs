//! `patient PATH`: a `main` with the attribute, which waits for its turn.

use std::env;

use pidfile::pidfile;

#[pidfile(path = env::args_os().nth(1).expect("a path"), wait = "1m")]
fn main() {
    println!("held");
}
