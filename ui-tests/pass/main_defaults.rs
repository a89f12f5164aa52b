//! Without arguments the file is named after the program, in the run-time directory.

use std::path::Path;

use pidfile::pidfile;

#[pidfile]
fn main() {
    assert!(Path::new("case.pid").exists());
}
