//! The command `daemon` of libslack locks with `fcntl`: we see its lock, and it does not see ours.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal::SIGKILL;
use pidfile::Status;

use super::{
    Background, answer, assert_held_by, assert_stale, hold_and_verify, left_behind, recorded,
    verified,
};
use crate::support::{Sandbox, Script, Snapshot, eventually, has_program, holder, is_locked};

/// The daemon and the program that it has started.
struct Daemon {
    daemon: Background,
    client: Background,
}

fn tool(sandbox: &Sandbox, arguments: &str) -> Option<i32> {
    let script = Script::of("daemon").steps("--noconfig --name=it");
    let script = script.set("--pidfiles", sandbox.dir());
    answer(script.steps(arguments)).0
}

fn client(sandbox: &Sandbox) -> PathBuf {
    sandbox.path("it.clientpid")
}

/// Starts a daemon, which then names itself in the file.
#[track_caller]
fn start(sandbox: &Sandbox, before: u32) -> Daemon {
    assert_eq!(tool(sandbox, "-- /bin/sleep 600"), Some(0));
    let client = Background::named_by(&client(sandbox));
    let mut daemon = None;
    // A longer number that was there before is not cut off.
    eventually("its number", || {
        let text = fs::read_to_string(sandbox.pidfile()).unwrap_or_default();
        let first = text.lines().next().and_then(|line| line.parse().ok());
        daemon = first.filter(|pid| *pid != before && text.ends_with('\n'));
        daemon.is_some()
    });
    let daemon = Background::new(daemon.expect("it was just there"));
    Daemon { daemon, client }
}

/// Stops it, after which its file is gone.
#[track_caller]
fn stop(sandbox: &Sandbox, daemon: &Daemon) {
    assert_eq!(tool(sandbox, "--stop"), Some(0));
    eventually("its end", || {
        // It misses a signal that comes right before it begins to wait for one.
        tool(sandbox, "--stop");
        !sandbox.pidfile().exists() && !daemon.daemon.is_alive()
    });
}

#[test]
fn we_are_refused_while_it_holds_and_take_over_what_it_left() {
    let sandbox = Sandbox::new();
    if !has_program("daemon") {
        return;
    }
    let path = sandbox.pidfile();
    let theirs = start(&sandbox, 0);
    assert_held_by(&path, Some(theirs.daemon.pid()));
    stop(&sandbox, &theirs);
    sandbox.assert_next_start_works();

    let theirs = start(&sandbox, 0);
    theirs.daemon.end(SIGKILL);
    assert!(theirs.client.is_alive(), "its program goes on");
    assert_stale(&sandbox, Some(theirs.daemon.pid()));
}

#[test]
fn it_takes_what_we_left() {
    let sandbox = Sandbox::new();
    if !has_program("daemon") {
        return;
    }
    let pid = left_behind(&sandbox);
    assert_eq!(tool(&sandbox, "--running"), Some(1));
    let theirs = start(&sandbox, pid);
    assert_eq!(tool(&sandbox, "--running"), Some(0));
    assert_held_by(&sandbox.pidfile(), Some(theirs.daemon.pid()));
}

/// The documented exception.
#[test]
fn it_gets_in_while_we_hold_and_its_stop_removes_the_file() {
    let sandbox = Sandbox::new();
    if !has_program("daemon") {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = hold_and_verify(&sandbox);
    assert_eq!(tool(&sandbox, "--running"), Some(1), "it sees no lock");
    let theirs = start(&sandbox, held.pid());
    assert_eq!(verified(&mut held), "Err(Overwritten)");
    assert!(is_locked(&path), "both hold it");
    holder(&path)
        .steps("acquire")
        .refusal()
        .expect("Locked", 75);
    stop(&sandbox, &theirs);
    assert_eq!(verified(&mut held), "Err(Gone)");
    sandbox.assert_next_start_works();
    held.tell();
    held.wait();
}

/// The documented exception.
#[test]
fn what_it_writes_over_a_longer_number_is_not_a_pidfile_any_more() {
    let sandbox = Sandbox::new();
    if !has_program("daemon") {
        return;
    }
    let path = sandbox.file("it.pid", "2147483647\n");
    let theirs = start(&sandbox, 2_147_483_647);
    assert_eq!(recorded(&path), None, "two lines");
    theirs.daemon.end(SIGKILL);
    assert_eq!(pidfile::status(&path).unwrap(), Status::NotPidfile);
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("acquire")
        .refusal()
        .expect("NotPidfile", 73);
    assert_eq!(Snapshot::of(&path), before);
}
