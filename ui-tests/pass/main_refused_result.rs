//! A `main` that returns a `Result` shows the error as Rust does.

use std::env;
use std::process::Command;

use pidfile::pidfile;

#[pidfile("app.pid")]
fn main() -> Result<(), pidfile::Error> {
    println!("the body runs");
    let second = Command::new(env::current_exe().unwrap()).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    assert!(second.stdout.is_empty());
    let report = String::from_utf8(second.stderr).unwrap();
    assert!(report.starts_with("Error: Locked: "), "{report}");
    Ok(())
}
