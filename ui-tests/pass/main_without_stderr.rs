//! A closed or full stderr takes the words away, not the status.

use std::env;
use std::process::Command;

use pidfile::pidfile;

#[pidfile("app.pid")]
fn main() {
    for nowhere in ["2>&-", "2>/dev/full"] {
        let second = Command::new("sh")
            .arg("-c")
            .arg(format!("exec \"$0\" {nowhere}"))
            .arg(env::current_exe().unwrap())
            .status()
            .unwrap();
        assert_eq!(second.code(), Some(75), "{nowhere}");
    }
}
