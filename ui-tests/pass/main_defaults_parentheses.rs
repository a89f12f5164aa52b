//! Empty parentheses say nothing.

use std::path::Path;

use pidfile::pidfile;

#[pidfile()]
fn main() {
    assert!(Path::new("case.pid").exists());
}
