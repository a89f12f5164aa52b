//! `start-stop-daemon` of dpkg knows no lock: the process that the file names decides, and with
//! `--exec` the program that this process runs. Which process `--stop` kills is in `other_tools`.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal::SIGTERM;
use pidfile::Status;

use super::{Background, answer, assert_stale, hold_and_verify, left_behind, verified};
use crate::support::{
    Sandbox, Script, Stranger, eventually, has_program, holder, is_locked, is_root,
};

const HOLDER: &str = env!("CARGO_BIN_EXE_holder");

fn tool(action: &str, path: &Path) -> Script {
    let script = Script::of("start-stop-daemon").argument(action);
    script.argument("--pidfile").argument(path)
}

/// It starts `holder` itself.
fn start(path: &Path) -> Script {
    let script = tool("--start", path).argument("--exec").argument(HOLDER);
    script.argument("--").set("path", path).steps("acquire")
}

/// It puts a program into the background and writes the file for it.
fn start_and_write(path: &Path, program: &str, arguments: &str) -> Option<i32> {
    let script = tool("--start", path).argument("--exec").argument(program);
    let script = script.steps("--background --make-pidfile --");
    answer(script.steps(arguments)).0
}

fn is_usable() -> bool {
    // It does not trust the files of ordinary users.
    has_program("start-stop-daemon") && is_root()
}

#[test]
fn status_agrees_unless_the_number_of_a_killed_holder_was_given_away() {
    let sandbox = Sandbox::new();
    if !is_usable() {
        return;
    }
    let path = sandbox.pidfile();
    let status = || answer(tool("--status", &path)).0;
    let mut held = sandbox.hold();
    assert_eq!(status(), Some(0));
    held.tell();
    held.expect_exit(0);
    assert_eq!(status(), Some(3));
    left_behind(&sandbox);
    assert_eq!(status(), Some(1));
    // The documented exceptions.
    let stranger = Stranger::new();
    sandbox.file("it.pid", stranger.record());
    assert_eq!(status(), Some(0));
    assert_stale(&sandbox, Some(stranger.pid()));
    sandbox.file("it.pid", "");
    assert_eq!(status(), Some(4));
    assert_stale(&sandbox, None);
}

#[test]
fn start_with_exec_agrees_while_we_hold_and_afterwards() {
    let sandbox = Sandbox::new();
    if !is_usable() {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    assert_eq!(answer(start(&path)).0, Some(1));
    assert!(is_locked(&path));
    held.tell();
    held.expect_exit(0);
    let assert_starts = || {
        let (status, said) = answer(start(&path));
        assert!(said.starts_with("held "), "{said}");
        assert_eq!(status, Some(0));
    };
    assert_starts();
    left_behind(&sandbox);
    assert_starts();
    let stranger = Stranger::new();
    sandbox.file("it.pid", stranger.record());
    assert_starts();
}

/// The documented exception.
#[test]
fn start_without_exec_is_blocked_by_whichever_process_a_stale_file_names() {
    let sandbox = Sandbox::new();
    if !is_usable() {
        return;
    }
    let stranger = Stranger::new();
    let path = sandbox.file("it.pid", stranger.record());
    let script = tool("--start", &path)
        .argument("--startas")
        .argument(HOLDER);
    let script = script.argument("--").set("path", &path).steps("acquire");
    assert_eq!(answer(script).0, Some(1));
    assert_stale(&sandbox, Some(stranger.pid()));
}

#[test]
fn stop_with_exec_ends_the_holder_and_spares_another_program() {
    let sandbox = Sandbox::new();
    if !is_usable() {
        return;
    }
    let path = sandbox.pidfile();
    let stop = || answer(tool("--stop", &path).argument("--exec").argument(HOLDER)).0;
    let mut held = sandbox.hold();
    assert_eq!(stop(), Some(0));
    held.expect_death_by(SIGTERM);
    sandbox.assert_names([]);
    let stranger = Stranger::new();
    sandbox.file("it.pid", stranger.record());
    assert_eq!(stop(), Some(1));
}

/// The documented exception: it writes where it has no lock.
#[test]
fn a_file_that_it_writes_itself_excludes_neither_side() {
    let sandbox = Sandbox::new();
    if !is_usable() {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = hold_and_verify(&sandbox);
    assert_eq!(verified(&mut held), "Ok(())");
    assert_eq!(start_and_write(&path, "/bin/sleep", "600"), Some(0));
    let theirs = Background::named_otherwise(&path, held.pid());
    assert_eq!(verified(&mut held), "Err(Overwritten)");
    held.tell();
    held.expect_exit(0);
    drop(theirs);
    let _ = fs::remove_file(&path);

    assert_eq!(start_and_write(&path, "/bin/sleep", "600"), Some(0));
    let theirs = Background::named_by(&path);
    let pid = Some(theirs.pid());
    assert_eq!(pidfile::status(&path).unwrap(), Status::Stale { pid });
    assert_stale(&sandbox, pid);
    assert!(theirs.is_alive());
}

#[test]
fn refuse_live_excludes_our_own_program_if_it_has_written_the_file() {
    let sandbox = Sandbox::new();
    if !is_usable() {
        return;
    }
    let path = sandbox.pidfile();
    assert_eq!(start_and_write(&path, HOLDER, "park"), Some(0));
    let theirs = Background::named_by(&path);
    // The number is written before the process has become the program.
    let program = format!("/proc/{}/exe", theirs.pid());
    eventually("the program", || {
        fs::read_link(&program).is_ok_and(|program| program == Path::new(HOLDER))
    });
    let start = || holder(&path).steps("refuse_live=true acquire");
    let refusal = start().refusal().expect("Running", 75);
    refusal.expect_pid(theirs.pid());
    theirs.end(SIGTERM);
    let mut ours = start().start();
    ours.expect_held(&path);
    ours.expect_exit(0);
}
