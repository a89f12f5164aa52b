//! Where nameless files or links do not exist, the promises are the same, and the hidden name that is
//! used instead never stays.

use std::fs;

use nix::sys::signal::Signal::{self, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use pidfile::Options;

use crate::support::{Sandbox, Snapshot, eventually, holder, is_locked, names};

/// A hidden name from the start; one that is made when the link fails; and a rename instead of a
/// link.
const POORER: [&str; 3] = [
    "no-nameless-files",
    "no-links",
    "no-nameless-files no-links",
];

#[test]
fn the_file_appears_whole_and_goes() {
    for poorer in POORER {
        let sandbox = Sandbox::new();
        let script = holder(sandbox.pidfile()).steps(poorer);
        let mut program = script.steps("umask=777 chmod=640 acquire wait").start();
        program.expect_held(&sandbox.pidfile());
        assert_eq!(Snapshot::of(sandbox.pidfile()).mode, 0o640, "{poorer}");
        assert!(is_locked(&sandbox.pidfile()), "{poorer}");
        sandbox.assert_names(["it.pid"]);
        program.tell();
        program.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_umask_that_denies_everything_keeps_no_ordinary_user_from_a_start() {
    for poorer in POORER {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder("run", 0o777);
        let path = folder.join("it.pid");
        let script = holder(&path).steps(poorer).unprivileged(&sandbox);
        let mut program = script.steps("umask=777 acquire wait").start();
        program.expect_held(&path);
        assert_eq!(Snapshot::of(&path).mode, 0o644, "{poorer}");
        assert!(is_locked(&path), "{poorer}");
        assert_eq!(names(&folder), ["it.pid"]);
    }
}

#[test]
fn a_stale_file_is_taken_over() {
    for poorer in POORER {
        let sandbox = Sandbox::new();
        let stale = sandbox.file("it.pid", "4194305\n");
        let before = Snapshot::of(&stale);
        let script = holder(&stale).steps(poorer);
        let mut program = script.steps("acquire wait").start();
        program.expect_held(&stale);
        assert_ne!(Snapshot::of(&stale).inode, before.inode, "{poorer}");
        program.tell();
        program.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_refused_start_leaves_no_hidden_file() {
    for poorer in POORER {
        let sandbox = Sandbox::new();
        let _held = Options::new().path(sandbox.pidfile()).acquire().unwrap();
        let script = holder(sandbox.pidfile()).steps(poorer);
        script
            .steps("acquire")
            .refusal()
            .expect_pid(std::process::id());
        sandbox.assert_names(["it.pid"]);
    }
}

#[test]
fn a_waiter_has_no_hidden_file_and_leaves_none() {
    let signals: [Signal; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];
    for (signal, step) in signals
        .into_iter()
        .zip(["acquire", "reserve"].into_iter().cycle())
    {
        let sandbox = Sandbox::new();
        let _held = Options::new().path(sandbox.pidfile()).acquire().unwrap();
        let script = holder(sandbox.pidfile()).steps("no-nameless-files patience=max");
        let mut waiter = script.steps(step).start();
        eventually("the wait", || waiter.has_open(&sandbox.pidfile()));
        sandbox.assert_names(["it.pid"]);
        waiter.signal(signal);
        waiter.expect_death_by(signal);
        sandbox.assert_names(["it.pid"]);
    }
}

#[test]
fn a_reservation_is_adopted_and_no_second_name_stays() {
    for poorer in POORER {
        let sandbox = Sandbox::new();
        let script = holder(sandbox.pidfile()).steps(poorer);
        let mut parent = script.steps("reserve fork=adopt,wait reap wait").start();
        parent.expect("reserved ");
        let adopted = parent.expect("held ");
        let record = fs::read_to_string(sandbox.pidfile()).unwrap();
        assert_eq!(adopted.split(' ').next(), Some(record.trim()), "{poorer}");
        sandbox.assert_names(["it.pid"]);
        parent.tell();
        parent.expect("child exited 0");
    }
}
