//! `cleanup()`, for programs that end in a way that runs nothing.

use nix::sys::signal::Signal::{SIGABRT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::support::{Program, Sandbox, Script, holder, is_locked};

#[track_caller]
fn run(sandbox: &Sandbox, steps: &str) -> Program {
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect("held ");
    program
}

#[test]
fn cleanup_removes_the_file_before_underscore_exit_and_abort() {
    let sandbox = Sandbox::new();
    run(&sandbox, "acquire cleanup _exit=7").expect_exit(7);
    sandbox.assert_names([]);
    run(&sandbox, "acquire forget cleanup abort").expect_death_by(SIGABRT);
    sandbox.assert_names([]);
}

#[test]
fn cleanup_may_be_called_in_a_signal_handler() {
    let sandbox = Sandbox::new();
    for rivals in ["", "workers=8"] {
        // On a signal that the library does not handle, and while threads acquire and release.
        let steps = format!("acquire clean-up-and-leave-on=SIGUSR1 {rivals} raise=SIGUSR1");
        run(&sandbox, &steps).expect_exit(9);
        assert!(!sandbox.pidfile().exists());
    }
}

#[test]
fn cleanup_removes_every_held_file_whatever_its_options() {
    let sandbox = Sandbox::new();
    let script = holder(sandbox.path("a.pid")).steps("at_exit=false signals=false acquire");
    let script = script.set("path", sandbox.path("b.pid")).steps("acquire");
    let mut program = script.steps("cleanup say=cleaned wait").start();
    program.expect("held ");
    program.expect("held ");
    program.expect("cleaned");
    sandbox.assert_names([]);
    // The guards that are left have nothing to do, and report nothing.
    program.tell();
    program.expect_exit(0);
}

#[test]
fn cleanup_leaves_a_reservation_alone() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("reserve cleanup say=cleaned wait")
        .start();
    program.expect("reserved ");
    program.expect("cleaned");
    assert!(is_locked(&sandbox.pidfile()));
}

#[test]
fn after_cleanup_a_release_succeeds_and_the_file_can_be_held_again() {
    let sandbox = Sandbox::new();
    let mut program = run(&sandbox, "acquire cleanup release acquire say=again wait");
    program.expect("released");
    program.expect_held(&sandbox.pidfile());
    program.expect("again");
    assert!(is_locked(&sandbox.pidfile()));
    program.signal(SIGTERM);
    program.expect_death_by(SIGTERM);
    sandbox.assert_names([]);
}

#[test]
fn cleanup_does_nothing_where_nothing_is_held() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("cleanup cleanup acquire wait")
        .start();
    program.expect_held(&sandbox.pidfile());
}

#[test]
fn cleanup_in_a_forked_child_leaves_the_parents_file() {
    let sandbox = Sandbox::new();
    let mut program = run(&sandbox, "acquire fork=cleanup,_exit:7 reap wait");
    program.expect("child exited 7");
    assert!(is_locked(&sandbox.pidfile()));
}

#[test]
fn cleanup_before_signal_hooks_emulated_default_removes_the_file() {
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let sandbox = Sandbox::new();
        let script = Script::of(env!("CARGO_BIN_EXE_graceful")).argument("signal-hook-emulate");
        let mut program = script.argument(sandbox.pidfile()).argument("after").start();
        program.expect("ready");
        assert!(is_locked(&sandbox.pidfile()));
        program.signal(signal);
        program.expect_death_by(signal);
        sandbox.assert_names([]);
    }
}
