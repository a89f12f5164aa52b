//! The hidden name that an adoption needs for a moment, and what else may have that name.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use nix::fcntl::FlockArg;
use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo};

use crate::support::{OTHER_USER, Sandbox, Snapshot, holder, is_locked, lock};

const HIDDEN: &str = ".it.pid.adopt";

/// With files that have no name at first, and without.
const FORMS: &[&str] = if cfg!(target_os = "linux") {
    &["", "no-nameless-files"]
} else {
    &[""]
};

/// Puts something under the hidden name between a reservation and its adoption, which then says what
/// is wrong. The reservation is not lost, and what is not a leftover stays as it is.
#[track_caller]
fn assert_left_alone(what: &str, error: &str, put: impl Fn(&Path)) {
    for form in FORMS {
        let sandbox = Sandbox::new();
        let hidden = sandbox.path(HIDDEN);
        let mut program = holder(sandbox.pidfile())
            .steps(form)
            .steps("reserve fork=wait,adopt,wait,release reap")
            .start();
        program.expect("reserved ");
        put(&hidden);
        let before = (Snapshot::of(&hidden), sandbox.names());
        program.tell();
        let refusal = program.refusal().expect_one_of(&[error]);
        refusal.expect_message(hidden.display());
        let after = (Snapshot::of(&hidden), sandbox.names());
        assert_eq!(after, before, "{what} {form}");
        assert!(is_locked(&sandbox.pidfile()));
    }
}

#[test]
fn a_fifo_with_the_hidden_name_does_not_lose_the_reservation() {
    assert_left_alone("a FIFO", "NotPidfile", |path| {
        mkfifo(path, Mode::from_bits_truncate(0o600)).unwrap();
    });
}

#[test]
fn a_directory_or_symlink_with_the_hidden_name_does_not_lose_the_reservation() {
    assert_left_alone("a directory", "NotPidfile", |path| {
        fs::create_dir(path).unwrap();
    });
    assert_left_alone("a symlink", "NotPidfile", |path| {
        symlink("it.pid", path).unwrap();
    });
    assert_left_alone("a dangling symlink", "NotPidfile", |path| {
        symlink("nowhere", path).unwrap();
    });
}

#[test]
fn a_text_with_the_hidden_name_is_left_alone() {
    assert_left_alone("a text", "NotPidfile", |path| {
        fs::write(path, "my notes\n").unwrap();
    });
    // Longer than what is read of a file.
    let text = format!("123\n{}my notes\n", "\n".repeat(8192));
    assert_left_alone("a long text", "NotPidfile", |path| {
        fs::write(path, &text).unwrap();
    });
}

#[test]
fn a_file_of_another_user_with_the_hidden_name_is_left_alone() {
    if geteuid().is_root() {
        assert_left_alone("a file of another user", "Insecure", |path| {
            fs::write(path, "2147483647\n").unwrap();
            chown(path, Some(OTHER_USER), None).unwrap();
        });
    }
}

#[test]
fn a_locked_file_with_the_hidden_name_is_left_alone() {
    // A sibling may have it, which adopts at this moment, so the answer may be that it is lost.
    for form in FORMS {
        let sandbox = Sandbox::new();
        let hidden = sandbox.path(HIDDEN);
        let steps = "reserve fork=wait,adopt,wait,release reap";
        let script = holder(sandbox.pidfile()).steps(form);
        let mut program = script.steps(steps).start();
        program.expect("reserved ");
        fs::write(&hidden, "2147483647\n").unwrap();
        let _locked = lock(&hidden, FlockArg::LockExclusive);
        let before = Snapshot::of(&hidden);
        program.tell();
        program.line().expect("an answer");
        assert_eq!(Snapshot::of(&hidden), before);
        assert!(is_locked(&sandbox.pidfile()), "the parent holds it still");
    }
}
