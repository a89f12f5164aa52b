//! The same where `main` never returns.

use std::env;
use std::process::{self, Command};

use pidfile::pidfile;

#[pidfile("app.pid")]
fn main() -> ! {
    println!("the body runs");
    let second = Command::new(env::current_exe().unwrap()).output().unwrap();
    assert_eq!(second.status.code(), Some(75));
    assert!(second.stdout.is_empty());
    let report = String::from_utf8(second.stderr).unwrap();
    assert_eq!(report.lines().count(), 1, "{report}");
    assert!(report.starts_with("case: "), "{report}");
    assert!(report.contains("app.pid is held by process"), "{report}");
    process::exit(0)
}
