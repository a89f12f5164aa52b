//! A panic releases the pidfile while it unwinds.

use std::panic;
use std::path::Path;

use pidfile::pidfile;

#[pidfile("app.pid")]
fn fails() -> pidfile::Result<()> {
    assert!(Path::new("app.pid").exists());
    panic!("on purpose")
}

fn main() {
    panic::catch_unwind(fails).unwrap_err();
    assert!(!Path::new("app.pid").exists());
}
