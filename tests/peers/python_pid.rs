//! Python's `pid` takes the same lock, and asks whether the recorded process lives on top of it. Both
//! interfaces are tried.

use std::path::Path;

use nix::sys::signal::Signal::SIGKILL;
use pidfile::Status;

use super::{assert_held_by, assert_stale, left_behind, python};
use crate::support::{Program, Sandbox, Script, Snapshot, Stranger, eventually};

/// Where `.ci/run` installs the versions.
const VERSIONS: [&str; 2] = ["pid-3.0.4", "pid-2.2.5"];

/// The refusal on account of a living process. Version 2 does not say which.
fn already_running(version: &str, pid: u32) -> String {
    let error = "refused PidFileAlreadyRunningError";
    if version.starts_with("pid-2") {
        error.into()
    } else {
        format!("{error} {pid}")
    }
}

/// `create` or `check` or `late`, a directory, and whether to lock. With `late` it waits between its
/// open and its lock.
const SOURCE: &str = r#"
import fcntl, os, sys
from pid import PidFile, PidFileError

def say(*words):
    print(*words, flush=True)

lock_file = fcntl.flock

def late(*arguments):
    say("opened")
    sys.stdin.readline()
    lock_file(*arguments)

action, directory, lock = sys.argv[1:]
if action == "late":
    fcntl.flock = late
file = PidFile(pidname="it", piddir=directory, lock_pidfile=lock == "True")
try:
    if action == "check":
        say("checked", file.check())
        sys.exit()
    file.create()
except PidFileError as error:
    say("refused", type(error).__name__, *filter(None, [getattr(error, 'pid', None)]))
    sys.exit(1)
say("ready", os.getpid())
sys.stdin.readline()
file.close()
say("closed")
"#;

fn script(version: &str, sandbox: &Sandbox, action: &str, lock: &str) -> Option<Script> {
    let script = python(version, SOURCE)?.argument(action);
    Some(script.argument(sandbox.dir()).argument(lock))
}

/// What it answers, with the words that follow.
#[track_caller]
fn answer(mut program: Program) -> String {
    program.line().expect("it says something")
}

/// One that holds the file, and its number.
#[track_caller]
fn holding(script: Script) -> (Program, u32) {
    let mut program = script.start();
    let pid = program.expect("ready ").parse().unwrap();
    (program, pid)
}

/// That it creates the file, and that we see it held and then gone.
#[track_caller]
fn assert_creates(script: Script, path: &Path) {
    let (mut theirs, pid) = holding(script);
    assert_held_by(path, Some(pid));
    theirs.tell();
    theirs.expect("closed");
    theirs.expect_exit(0);
    assert!(!path.exists());
}

#[test]
fn it_is_refused_while_we_hold_and_takes_what_we_left() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for version in VERSIONS {
        let start = |action| script(version, &sandbox, action, "True");
        let (Some(create), Some(check)) = (start("create"), start("check")) else {
            continue;
        };
        let mut held = sandbox.hold();
        let before = Snapshot::of(&path);
        let refused = answer(create.start());
        assert_eq!(refused, "refused PidFileAlreadyLockedError", "{version}");
        let refused = answer(check.start());
        let expected = already_running(version, held.pid());
        assert_eq!(refused, expected, "{version}");
        assert_eq!(Snapshot::of(&path), before, "{version}");
        held.tell();
        held.expect_exit(0);
        assert_eq!(
            answer(start("check").unwrap().start()),
            "checked PID_CHECK_NOFILE"
        );
        assert_creates(start("create").unwrap(), &path);
        left_behind(&sandbox);
        assert_eq!(
            answer(start("check").unwrap().start()),
            "checked PID_CHECK_NOTRUNNING"
        );
        assert_creates(start("create").unwrap(), &path);
    }
}

#[test]
fn we_are_refused_while_it_holds_and_take_over_what_it_left() {
    let sandbox = Sandbox::new();
    for version in VERSIONS {
        let start = || script(version, &sandbox, "create", "True");
        let Some(create) = start() else {
            continue;
        };
        assert_creates(create, &sandbox.pidfile());
        sandbox.assert_next_start_works();
        let (mut theirs, pid) = holding(start().unwrap());
        assert_held_by(&sandbox.pidfile(), Some(pid));
        theirs.signal(SIGKILL);
        theirs.expect_death_by(SIGKILL);
        assert_stale(&sandbox, Some(pid));
    }
}

/// The documented exception.
#[test]
fn it_is_blocked_by_whichever_process_a_stale_file_names() {
    let sandbox = Sandbox::new();
    for version in VERSIONS {
        let stranger = Stranger::new();
        let path = sandbox.file("it.pid", stranger.record());
        let Some(create) = script(version, &sandbox, "create", "True") else {
            continue;
        };
        let before = Snapshot::of(&path);
        let expected = already_running(version, stranger.pid());
        assert_eq!(answer(create.start()), expected, "{version}");
        assert_eq!(Snapshot::of(&path).bytes, before.bytes);
        assert_stale(&sandbox, Some(stranger.pid()));
    }
}

/// The documented exception.
#[test]
fn without_its_lock_it_respects_ours_and_we_do_not_see_it() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for version in VERSIONS {
        let start = || script(version, &sandbox, "create", "False");
        let Some(create) = start() else {
            continue;
        };
        let held = sandbox.hold();
        let expected = already_running(version, held.pid());
        assert_eq!(answer(create.start()), expected, "{version}");
        drop(held);
        eventually("a free file", || {
            matches!(pidfile::status(&path), Ok(Status::Stale { .. }))
        });
        let (mut theirs, pid) = holding(start().unwrap());
        assert_stale(&sandbox, Some(pid));
        assert!(theirs.is_running());
    }
}

/// The documented exception: it does not ask whether what it has locked still has its name.
#[test]
fn between_its_open_and_its_lock_our_release_lets_it_in_beside_the_next_start() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for version in VERSIONS {
        let Some(late) = script(version, &sandbox, "late", "True") else {
            continue;
        };
        let mut held = sandbox.hold();
        let mut theirs = late.start();
        theirs.expect("opened");
        held.tell();
        held.expect_exit(0);
        theirs.tell();
        theirs.expect("ready ");
        assert!(!path.exists(), "{version}");
        sandbox.assert_next_start_works();
        assert!(theirs.is_running());
    }
}
