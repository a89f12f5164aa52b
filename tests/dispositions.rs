//! The library changes what a signal does, and something happens in the middle of it: another thread
//! acquires a file, or the program installs a handler.

use nix::sys::signal::Signal::SIGTERM;

use crate::pid_namespace::First;
use crate::support::{Sandbox, Script};

/// The program `between` with one of its cases.
fn between(case: &str, sandbox: &Sandbox) -> Script {
    let script = Script::of(env!("CARGO_BIN_EXE_between"));
    script.argument(case).argument(sandbox.pidfile())
}

#[test]
fn as_process_1_no_file_is_held_while_a_release_removes_the_handlers() {
    let sandbox = Sandbox::new();
    let Some(mut first) = First::of(between("release-and-acquire", &sandbox)) else {
        return;
    };
    first.outside.tell();
    first.outside.expect_exit(128 + SIGTERM as i32);
    sandbox.assert_names([]);
}

#[test]
fn a_handler_that_comes_in_the_middle_of_an_acquire_stays() {
    let sandbox = Sandbox::new();
    let mut program = between("handler-at-acquire", &sandbox).start();
    program.tell();
    program.expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn as_process_1_a_handler_that_comes_in_the_middle_of_a_release_stays() {
    let sandbox = Sandbox::new();
    let Some(mut first) = First::of(between("handler-at-release", &sandbox)) else {
        return;
    };
    first.outside.tell();
    first.outside.expect_exit(0);
    sandbox.assert_names([]);
}
