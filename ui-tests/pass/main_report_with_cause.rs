//! What the system said stands behind the error.

use std::env;
use std::process::Command;

use pidfile::pidfile;

fn main() {
    if env::args().len() > 1 {
        return hold();
    }
    let mut program = Command::new(env::current_exe().unwrap());
    let second = program.arg("hold").output().unwrap();
    let report = String::from_utf8(second.stderr).unwrap();
    assert!(report.contains("missing/app.pid") || report.contains("missing"), "{report}");
    assert!(report.contains(": No such file or directory"), "{report}");
}

#[pidfile("missing/app.pid")]
fn hold() {}
