//! `fuser` of psmisc names every process that has the file open, whether it has the lock or not.

use nix::sys::signal::Signal::SIGTERM;

use super::{answer, left_behind};
use crate::support::{Program, Sandbox, Script, eventually, has_program, holder};

fn fuser(sandbox: &Sandbox, options: &str) -> (Option<i32>, Vec<u32>) {
    let (status, text) = answer(
        Script::of("fuser")
            .steps(options)
            .argument(sandbox.pidfile()),
    );
    let numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    (status, numbers.collect())
}

fn waiter(sandbox: &Sandbox) -> Program {
    let steps = "patience=max acquire wait";
    let waiter = holder(sandbox.pidfile()).steps(steps).start();
    eventually("a waiter", || waiter.has_open(&sandbox.pidfile()));
    waiter
}

#[test]
fn it_names_the_holder_and_no_process_afterwards() {
    let sandbox = Sandbox::new();
    if !has_program("fuser") {
        return;
    }
    let mut held = sandbox.hold();
    assert_eq!(fuser(&sandbox, ""), (Some(0), vec![held.pid()]));
    held.tell();
    held.expect_exit(0);
    assert_eq!(fuser(&sandbox, ""), (Some(1), vec![]));
    left_behind(&sandbox);
    assert_eq!(fuser(&sandbox, ""), (Some(1), vec![]));
}

#[test]
fn it_names_and_kills_those_that_wait_as_well() {
    let sandbox = Sandbox::new();
    if !has_program("fuser") {
        return;
    }
    let mut held = sandbox.hold();
    let mut waiter = waiter(&sandbox);
    let mut both = vec![held.pid(), waiter.pid()];
    both.sort_unstable();
    assert_eq!(fuser(&sandbox, ""), (Some(0), both));
    assert_eq!(fuser(&sandbox, "--kill -TERM").0, Some(0));
    held.expect_death_by(SIGTERM);
    waiter.expect_death_by(SIGTERM);
}
