//! The file is there while `main` runs.

use std::path::Path;

#[pidfile::pidfile(path = "app.pid")]
fn main() {
    assert!(Path::new("app.pid").exists());
}
