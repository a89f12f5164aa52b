//! A string that stands alone is the path.

use std::fs;
use std::process;

use pidfile::pidfile;

#[pidfile("app.pid")]
fn main() {
    let record = fs::read_to_string("app.pid").unwrap();
    assert_eq!(record, format!("{}\n", process::id()));
}
