//! `monit` watches a process by its pidfile, and starts it when it is gone. It knows no lock: the
//! process that the file names decides.

use std::path::PathBuf;

use nix::sys::signal::Signal::SIGTERM;

use super::{Background, answer, assert_held_by, assert_stale, left_behind, recorded};
use crate::support::{Sandbox, Script, Stranger, has_program, is_locked, set_mode};

const HOLDER: &str = env!("CARGO_BIN_EXE_holder");

/// A control file that keeps all of monit's own files in the sandbox. It has no server.
fn control_file(sandbox: &Sandbox) -> PathBuf {
    let dir = sandbox.folder("monit", 0o700);
    let (path, dir) = (sandbox.pidfile(), dir.display());
    let path = path.display();
    let text = format!(
        "set pidfile {dir}/pid\n\
         set idfile {dir}/id\n\
         set statefile {dir}/state\n\
         set logfile {dir}/log\n\
         check process it with pidfile {path}\n  \
           start program = \"/bin/sh -c '{HOLDER} path={path} acquire park </dev/null >/dev/null &'\"\n    \
             with timeout 60 seconds\n"
    );
    let file = sandbox.file("monitrc", text);
    set_mode(&file, 0o600);
    file
}

/// What it says about the process when it checks once.
#[track_caller]
fn validate(file: &PathBuf) -> String {
    let script = Script::of("monit").argument("-c").argument(file);
    let (_, said) = answer(script.steps("-v validate"));
    let about = said.lines().filter(|line| line.contains("'it'"));
    about.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn assert_says(said: &str, text: &str) {
    assert!(said.contains(text), "{text}: {said}");
}

#[test]
fn it_sees_the_holder_and_starts_the_next_one_after_a_release_and_after_sigkill() {
    let sandbox = Sandbox::new();
    if !has_program("monit") {
        return;
    }
    let file = control_file(&sandbox);
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    let running = |pid| format!("'it' process is running with pid {pid}");
    assert_says(&validate(&file), &running(held.pid()));
    held.tell();
    held.expect_exit(0);

    let said = validate(&file);
    let started = Background::named_by(&path);
    assert_says(&said, "'it' started");
    assert_held_by(&path, Some(started.pid()));
    assert_says(&validate(&file), &running(started.pid()));
    started.end(SIGTERM);
    assert!(!path.exists());

    let killed = left_behind(&sandbox);
    let said = validate(&file);
    let next = Background::named_otherwise(&path, killed);
    assert_says(&said, &format!("'it' process test failed [pid={killed}]"));
    assert_says(&said, "'it' started");
    assert_held_by(&path, Some(next.pid()));
    next.end(SIGTERM);
    assert!(!path.exists());
}

/// The documented exception.
#[test]
fn it_takes_whichever_process_a_stale_file_names_for_the_holder() {
    let sandbox = Sandbox::new();
    if !has_program("monit") {
        return;
    }
    let file = control_file(&sandbox);
    left_behind(&sandbox);
    let stranger = Stranger::new();
    let path = sandbox.file("it.pid", stranger.record());
    let said = validate(&file);
    assert_says(
        &said,
        &format!("'it' process is running with pid {}", stranger.pid()),
    );
    assert!(!is_locked(&path));
    assert_eq!(recorded(&path), Some(stranger.pid()), "nothing was started");
    assert_stale(&sandbox, Some(stranger.pid()));
}
