//! `flock` of util-linux takes the same lock. It writes nothing into the file, and does not ask
//! whether the file that it has locked still has its name.

use std::path::Path;

use nix::sys::signal::Signal::SIGKILL;

use super::{answer, assert_held_by, assert_stale, left_behind};
use crate::support::{Program, Sandbox, Script, Snapshot, eventually, has_program, is_locked};

/// Starts a shell under the lock, which ends with its input.
fn under_flock(path: &Path) -> Program {
    let script = Script::of("flock").argument(path);
    script
        .argument("sh")
        .argument("-c")
        .argument("echo inside; read line")
        .start()
}

#[test]
fn it_is_refused_while_we_hold_and_locks_what_we_left() {
    let sandbox = Sandbox::new();
    if !has_program("flock") {
        return;
    }
    let path = sandbox.pidfile();
    let flock = || {
        answer(
            Script::of("flock")
                .argument("-n")
                .argument(&path)
                .steps("true"),
        )
        .0
    };
    let mut held = sandbox.hold();
    let before = Snapshot::of(&path);
    assert_eq!(flock(), Some(1));
    assert_eq!(Snapshot::of(&path), before);
    held.tell();
    held.expect_exit(0);
    assert_eq!(flock(), Some(0));
    assert_eq!(Snapshot::of(&path).bytes, b"", "it makes an empty file");
    assert_stale(&sandbox, None);
    let pid = left_behind(&sandbox);
    assert_eq!(flock(), Some(0));
    assert_stale(&sandbox, Some(pid));
}

#[test]
fn we_are_refused_while_it_or_its_child_holds_the_file() {
    let sandbox = Sandbox::new();
    if !has_program("flock") {
        return;
    }
    let path = sandbox.pidfile();
    let mut flock = under_flock(&path);
    flock.expect("inside");
    assert_held_by(&path, None);
    flock.tell();
    flock.expect_exit(0);
    assert_stale(&sandbox, None);

    let mut flock = under_flock(&path);
    flock.expect("inside");
    flock.signal(SIGKILL);
    flock.expect_death_by(SIGKILL);
    assert_held_by(&path, None);
    flock.let_go();
    eventually("the end of the shell", || !is_locked(&path));
    assert_stale(&sandbox, None);
}

/// The documented exception: what it waits for is the file, which is gone when it gets the lock.
#[test]
fn one_that_waits_for_us_gets_in_beside_the_next_start() {
    let sandbox = Sandbox::new();
    if !has_program("flock") {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    let mut flock = under_flock(&path);
    eventually("it waits", || flock.has_open(&path));
    flock.expect_silence();
    held.tell();
    held.expect_exit(0);
    flock.expect("inside");
    assert!(!path.exists());
    sandbox.assert_next_start_works();
    assert!(flock.is_running());
    flock.tell();
    flock.expect_exit(0);
}
