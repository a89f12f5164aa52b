//! A directory and a name instead of a path.

use std::path::Path;

use pidfile::pidfile;

#[pidfile(dir = "made", name = "app")]
fn with_suffix() {
    assert!(Path::new("made/app.pid").exists());
}

#[pidfile(dir = "made", name = "app.lock", dot_pid = false)]
fn without_suffix() {
    assert!(Path::new("made/app.lock").exists());
}

#[pidfile(temp_dir, name = format!("pidfile-ui-{}", std::process::id()))]
fn elsewhere() {}

fn main() {
    with_suffix();
    without_suffix();
    elsewhere();
    std::fs::remove_dir("made").unwrap();
}
