//! `python-daemon` with the `PIDLockFile` of `lockfile` knows no lock: the name decides. A file that
//! exists blocks it, whichever program created the file, and whether or not that one still runs.

use nix::sys::signal::Signal::{SIGKILL, SIGTERM};
use pidfile::Status;

use super::{Background, answer, assert_stale, left_behind, python};
use crate::support::{Program, Sandbox, Script, Snapshot, holder};

/// A program that detaches, and works until its input ends.
const SOURCE: &str = r#"
import os, sys
import daemon, lockfile
from daemon.pidfile import TimeoutPIDLockFile

def say(*words):
    print(*words, flush=True)

file = TimeoutPIDLockFile(sys.argv[1], acquire_timeout=0)
context = daemon.DaemonContext(
    pidfile=file, stdin=sys.stdin, stdout=sys.stdout, stderr=sys.stderr)
try:
    with context:
        say("ready", os.getpid())
        sys.stdin.readline()
except lockfile.Error as error:
    say("refused", type(error).__name__)
    sys.exit(1)
say("closed")
"#;

fn script(sandbox: &Sandbox) -> Option<Script> {
    Some(python("python-daemon-3.1.2", SOURCE)?.argument(sandbox.pidfile()))
}

/// One that runs in the background, and its terminal, which is gone.
#[track_caller]
fn detached(script: Script) -> (Program, Background) {
    let mut terminal = script.start();
    let daemon = Background::new(terminal.expect("ready ").parse().unwrap());
    terminal.expect_exit(0);
    (terminal, daemon)
}

#[test]
fn it_is_refused_while_we_hold_and_starts_after_our_release() {
    let sandbox = Sandbox::new();
    let Some(refused) = script(&sandbox) else {
        return;
    };
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    let before = Snapshot::of(&path);
    assert_eq!(answer(refused).1, "refused AlreadyLocked");
    assert_eq!(Snapshot::of(&path), before);
    held.tell();
    held.expect_exit(0);
    let (mut terminal, _theirs) = detached(script(&sandbox).unwrap());
    assert!(path.exists());
    terminal.tell();
    terminal.expect("closed");
    assert!(!path.exists());
}

/// The documented exception: a stale file blocks it until it is removed.
#[test]
fn it_is_blocked_by_the_file_of_a_killed_process_ours_or_its_own() {
    let sandbox = Sandbox::new();
    let Some(refused) = script(&sandbox) else {
        return;
    };
    let pid = left_behind(&sandbox);
    assert_eq!(answer(refused).1, "refused AlreadyLocked");
    assert_stale(&sandbox, Some(pid));

    let (_terminal, theirs) = detached(script(&sandbox).unwrap());
    theirs.end(SIGKILL);
    assert_eq!(answer(script(&sandbox).unwrap()).1, "refused AlreadyLocked");
    assert_stale(&sandbox, Some(theirs.pid()));
}

/// The documented exception: it has no lock, so its file is stale for us.
#[test]
fn we_get_in_while_it_runs_unless_we_go_by_the_process() {
    let sandbox = Sandbox::new();
    let Some(start) = script(&sandbox) else {
        return;
    };
    let path = sandbox.pidfile();
    let (_terminal, theirs) = detached(start);
    let pid = Some(theirs.pid());
    assert_eq!(pidfile::status(&path).unwrap(), Status::Stale { pid });
    let refusal = holder(&path).steps("lock=false acquire").refusal();
    refusal.expect("Running", 75).expect_pid(pid);
    // Python is not our program, so `refuse_live` takes the number for one that was given away.
    let mut ours = holder(&path).steps("refuse_live=true acquire wait").start();
    ours.expect_held(&path);
    assert!(theirs.is_alive());
    // It finds another number in the file at its end, and leaves the file to us.
    let before = Snapshot::of(&path);
    theirs.end(SIGTERM);
    assert_eq!(Snapshot::of(&path), before);
    ours.tell();
    ours.expect_exit(0);
    sandbox.assert_names([]);
}
