//! `pidfile(3)` of libbsd takes the same lock, and writes its number without a newline.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal::SIGKILL;

use super::{assert_held_by, assert_stale, left_behind};
use crate::support::{Program, Sandbox, Script, Snapshot, cc, needs};

const SOURCE: &str = include_str!("../programs/pidfile_bsd.c");

fn build(sandbox: &Sandbox) -> Option<PathBuf> {
    let is_there = Path::new("/usr/include/bsd/libutil.h").exists();
    if !needs(is_there, "libbsd's headers") {
        return None;
    }
    let arguments = ["-D_GNU_SOURCE", "-lbsd"].map(OsStr::new);
    cc(&sandbox.path("pidfile_bsd"), SOURCE, &arguments)
}

fn start(sandbox: &Sandbox, program: &Path) -> Program {
    Script::of(program).argument(sandbox.pidfile()).start()
}

#[test]
fn it_is_refused_with_the_right_pid_while_we_hold_and_takes_what_we_left() {
    let sandbox = Sandbox::new();
    let Some(program) = build(&sandbox) else {
        return;
    };
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    let before = Snapshot::of(&path);
    // It dislikes our newline: the error is not EEXIST, and the number is right.
    let refused = start(&sandbox, &program).expect("refused ");
    assert_eq!(refused, format!("EINVAL {}", held.pid()));
    assert_eq!(Snapshot::of(&path), before);
    held.tell();
    held.expect_exit(0);
    for _ in ["nothing is left", "a stale file is left"] {
        let mut theirs = start(&sandbox, &program);
        theirs.expect("opened");
        theirs.tell();
        theirs.expect("written");
        assert_held_by(&path, Some(theirs.pid()));
        theirs.tell();
        theirs.expect("removed");
        theirs.expect_exit(0);
        assert!(!path.exists());
        left_behind(&sandbox);
    }
}

#[test]
fn we_are_refused_while_it_holds_and_take_over_what_it_left() {
    let sandbox = Sandbox::new();
    let Some(program) = build(&sandbox) else {
        return;
    };
    let path = sandbox.pidfile();
    let mut theirs = start(&sandbox, &program);
    theirs.expect("opened");
    assert_held_by(&path, None);
    theirs.tell();
    theirs.expect("written");
    assert_held_by(&path, Some(theirs.pid()));
    theirs.signal(SIGKILL);
    theirs.expect_death_by(SIGKILL);
    assert_stale(&sandbox, Some(theirs.pid()));
}
