//! The command `daemonize`: with `-l` it takes the same lock for the program that it starts; with
//! `-p` it writes the number of that program, whether or not the file is locked.

use nix::sys::signal::Signal::{SIGKILL, SIGTERM};
use pidfile::Status;

use super::{
    Background, answer, assert_held_by, assert_stale, hold_and_verify, left_behind, verified,
};
use crate::support::{Sandbox, Script, Snapshot, has_program};

/// Lets it start a program, with the same file after each of these options.
fn daemonize(sandbox: &Sandbox, options: &[&str]) -> Option<i32> {
    let path = sandbox.pidfile();
    let script = Script::of("daemonize");
    let script = options.iter().fold(script, |script, option| {
        script.argument(option).argument(&path)
    });
    answer(script.steps("/bin/sleep 600")).0
}

#[test]
fn with_l_it_is_refused_while_we_hold_and_takes_what_we_left() {
    let sandbox = Sandbox::new();
    if !has_program("daemonize") {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    let before = Snapshot::of(&path);
    assert_eq!(daemonize(&sandbox, &["-l", "-p"]), Some(1));
    assert_eq!(Snapshot::of(&path), before);
    held.tell();
    held.expect_exit(0);
    let assert_starts = |left| {
        assert_eq!(daemonize(&sandbox, &["-l", "-p"]), Some(0));
        let theirs = Background::named_otherwise(&path, left);
        assert_held_by(&path, Some(theirs.pid()));
        theirs.end(SIGTERM);
        assert_stale(&sandbox, Some(theirs.pid()));
    };
    assert_starts(0);
    assert_starts(left_behind(&sandbox));
}

#[test]
fn with_l_we_are_refused_while_it_holds_and_take_over_what_it_left() {
    let sandbox = Sandbox::new();
    if !has_program("daemonize") {
        return;
    }
    let path = sandbox.pidfile();
    for signal in [SIGTERM, SIGKILL] {
        assert_eq!(daemonize(&sandbox, &["-l", "-p"]), Some(0));
        let theirs = Background::named_by(&path);
        assert_held_by(&path, Some(theirs.pid()));
        theirs.end(signal);
        assert_stale(&sandbox, Some(theirs.pid()));
    }
}

/// The documented exception.
#[test]
fn with_p_alone_it_excludes_neither_side() {
    let sandbox = Sandbox::new();
    if !has_program("daemonize") {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = hold_and_verify(&sandbox);
    assert_eq!(verified(&mut held), "Ok(())");
    assert_eq!(daemonize(&sandbox, &["-p"]), Some(0));
    let theirs = Background::named_otherwise(&path, held.pid());
    assert_eq!(verified(&mut held), "Err(Overwritten)");
    held.tell();
    held.expect_exit(0);
    drop(theirs);
    let _ = std::fs::remove_file(&path);

    assert_eq!(daemonize(&sandbox, &["-p"]), Some(0));
    let theirs = Background::named_by(&path);
    let pid = Some(theirs.pid());
    assert_eq!(pidfile::status(&path).unwrap(), Status::Stale { pid });
    assert_stale(&sandbox, pid);
    assert!(theirs.is_alive());
}
