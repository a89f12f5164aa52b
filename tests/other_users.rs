//! A file that another user holds is held, for root too; without a holder it is refused.

use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;

use nix::fcntl::FlockArg;
use pidfile::{Options, Status};

use crate::support::{
    OTHER_USER, Program, Sandbox, Script, Snapshot, USER, eventually, holder, is_root, lock,
    set_mode,
};

/// A directory in which another user may hold a file, and that file's path.
fn places(sandbox: &Sandbox) -> [PathBuf; 2] {
    let theirs = sandbox.folder("theirs", 0o755);
    chown(&theirs, Some(USER), Some(USER)).unwrap();
    let shared = sandbox.folder("shared", 0o1777);
    [theirs.join("it.pid"), shared.join("it.pid")]
}

/// A program of that user that holds the path.
#[track_caller]
fn held_by_the_user(sandbox: &Sandbox, path: &PathBuf) -> Program {
    let script: Script = holder(path).steps("acquire wait").unprivileged(sandbox);
    let mut program = script.start();
    program.expect_held(path);
    program
}

#[test]
fn a_file_that_another_user_holds_is_locked_for_root() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    for path in places(&sandbox) {
        let held = held_by_the_user(&sandbox, &path);
        for mode in [0o644, 0o600, 0o664] {
            set_mode(&path, mode);
            let before = Snapshot::of(&path);
            for settings in ["", "refuse_live=true", "patience=20"] {
                let script = holder(&path).steps(settings).steps("acquire");
                script.refusal().expect("Locked", 75).expect_pid(held.pid());
            }
            let status = Options::new().path(&path).status().unwrap();
            assert_eq!(
                status,
                Status::Held {
                    pid: Some(held.pid())
                }
            );
            assert_eq!(Snapshot::of(&path), before);
        }
    }
}

#[test]
fn a_file_that_another_user_holds_is_locked_for_a_third_user() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let copy = sandbox.open_to_all();
    for path in places(&sandbox) {
        let held = held_by_the_user(&sandbox, &path);
        let script = holder(&path).steps("acquire").user(OTHER_USER, &copy);
        script.refusal().expect("Locked", 75).expect_pid(held.pid());
    }
}

#[test]
fn root_waits_for_a_file_that_another_user_holds() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    for path in places(&sandbox) {
        let mut held = held_by_the_user(&sandbox, &path);
        let mut waiter = holder(&path).steps("patience=max acquire wait").start();
        eventually("a waiter", || {
            assert!(waiter.is_running(), "it does not wait");
            waiter.has_open(&path)
        });
        waiter.expect_silence();
        held.tell();
        held.expect_exit(0);
        waiter.expect_held(&path);
        waiter.tell();
        waiter.expect_exit(0);
        assert!(!path.exists());
    }
}

#[test]
fn a_file_of_another_user_without_a_holder_is_insecure_and_says_so() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    for path in places(&sandbox) {
        let mut held = held_by_the_user(&sandbox, &path);
        held.signal(nix::sys::signal::Signal::SIGKILL);
        held.wait();
        let before = Snapshot::of(&path);
        for settings in ["", "patience=max"] {
            let script = holder(&path).steps(settings).steps("acquire");
            let refusal = script.refusal().expect("Insecure", 77);
            let message = refusal.expect_message(path.display()).message;
            assert!(
                message.contains("no process holds") || message.contains("not held"),
                "{message}"
            );
        }
        assert_eq!(Snapshot::of(&path), before);
        let status = Options::new().path(&path).status().unwrap();
        assert_eq!(
            status,
            Status::Stale {
                pid: Some(held.pid())
            }
        );
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_of_another_user_that_cannot_be_read_is_insecure_and_says_what_is_not_known() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let [_, path] = places(&sandbox);
    fs::write(&path, "2147483647\n").unwrap();
    chown(&path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    set_mode(&path, 0o600);
    let script = holder(&path).steps("acquire").unprivileged(&sandbox);
    script
        .refusal()
        .expect("Insecure", 77)
        .expect_message("this user may not check whether it is held");
    // A look says no more than that it was refused.
    let script = holder(&path).steps("status").unprivileged(&sandbox);
    script.refusal().expect("Io", 77);
}

#[test]
fn a_file_of_another_user_that_a_reader_looks_at_is_not_held() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let [_, path] = places(&sandbox);
    fs::write(&path, "2147483647\n").unwrap();
    chown(&path, Some(USER), Some(USER)).unwrap();
    let probe = holder(&path).steps("probe").start();
    for _ in 0..50 {
        let refusal = holder(&path).steps("acquire").refusal();
        refusal.expect("Insecure", 77);
    }
    drop(probe);
    // A start that will not take the file asks as a reader does, and readers do not exclude each other.
    let _reader = lock(&path, FlockArg::LockShared);
    let refusal = holder(&path).steps("acquire").refusal();
    refusal.expect("Insecure", 77);
}
