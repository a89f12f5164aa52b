//! The holder is told to leave, and its place is taken.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use pidfile::pidfile;

/// Holds the file until it is ended; says when it does.
#[pidfile("app.pid")]
fn hold() {
    println!("held");
    loop {
        std::thread::park();
    }
}

#[pidfile("app.pid", replace = "1m", held = guard)]
fn replace() -> pidfile::Result<u32> {
    Ok(guard.pid())
}

#[pidfile("app.pid", replace = Duration::from_secs(60))]
fn replace_nobody() -> pidfile::Result<()> {
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some() {
        hold();
    }
    let program = std::env::current_exe().expect("it runs");
    let mut holder = Command::new(program)
        .arg("hold")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it can run twice");
    let output = holder.stdout.take().expect("it was asked for");
    let line = BufReader::new(output).lines().next();
    assert_eq!(line.expect("a line").expect("it is text"), "held");

    assert_eq!(replace().expect("the holder leaves"), std::process::id());
    assert!(!holder.wait().expect("it is a child").success());
    replace_nobody().expect("nothing else is there");
    ExitCode::SUCCESS
}
