//! However a process ends by itself, its file goes and its status stays. Where an end runs nothing,
//! the next start takes the stale file over.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use pidfile::{Options, Status};

use crate::support::{Program, Sandbox, Script, cargo, holder, is_locked, target_dir};

/// Starts it, lets it end, and returns it.
#[track_caller]
fn end(sandbox: &Sandbox, script: Script, steps: &str) -> Program {
    let script = script.set("path", sandbox.pidfile());
    let mut program = script
        .steps(&steps.replacen("acquire", "acquire wait", 1))
        .start();
    program.expect_held(&sandbox.pidfile());
    assert!(is_locked(&sandbox.pidfile()));
    program.tell();
    program
}

#[track_caller]
fn assert_removed(steps: &str, status: i32) {
    let sandbox = Sandbox::new();
    let mut program = end(&sandbox, Script::new(), steps);
    program.expect_exit(status);
    sandbox.assert_names([]);
}

#[test]
fn a_return_removes_the_file() {
    assert_removed("acquire", 0);
}

#[test]
fn a_question_mark_removes_the_file_and_keeps_the_status() {
    assert_removed("acquire question", 1);
}

#[test]
fn exit_from_main_removes_the_file_and_keeps_the_status() {
    assert_removed("acquire exit=0", 0);
    assert_removed("acquire exit=7", 7);
    assert_removed("acquire exit=255", 255);
}

#[test]
fn exit_from_a_thread_removes_the_file_and_keeps_the_status() {
    assert_removed("acquire exit-on-a-thread=7", 7);
}

#[test]
fn an_unwinding_panic_removes_the_file_and_keeps_the_status() {
    assert_removed("acquire panic", 101);
    assert_removed("acquire forget panic", 101);
}

#[test]
fn a_forgotten_guard_is_cleaned_up_by_a_return_and_by_exit() {
    assert_removed("acquire forget", 0);
    assert_removed("acquire forget exit=7", 7);
    assert_removed("acquire forget question", 1);
    assert_removed("acquire forget exit-on-a-thread=7", 7);
}

#[test]
fn a_guard_that_was_dropped_before_the_end_leaves_nothing_to_do() {
    assert_removed("acquire drop", 0);
    assert_removed("acquire release exit=7", 7);
    assert_removed("acquire drop-on-a-thread exit=7", 7);
    assert_removed("acquire release acquire forget", 0);
}

#[test]
fn exit_while_eight_threads_acquire_and_release_leaves_nothing() {
    for _ in 0..20 {
        assert_removed("acquire workers=8 exit=7", 7);
        assert_removed("acquire workers=8 forget exit-on-a-thread=7", 7);
    }
}

#[test]
fn the_file_is_the_last_thing_to_go() {
    let sandbox = Sandbox::new();
    let script = Script::new().set("exists-at-exit", sandbox.pidfile());
    let mut program = end(&sandbox, script, "acquire exit=7");
    program.expect("at exit there");
    program.expect_exit(7);
    sandbox.assert_names([]);
}

#[test]
fn without_at_exit_the_file_stays_for_the_next_start_unless_it_is_dropped() {
    let sandbox = Sandbox::new();
    let mut program = end(&sandbox, Script::new(), "at_exit=false acquire exit=7");
    program.expect_exit(7);
    sandbox.assert_names(["it.pid"]);
    sandbox.assert_next_start_works();
    // `at_exit` changes neither the drop of the guard nor the end by a signal.
    end(&sandbox, Script::new(), "at_exit=false acquire").expect_exit(0);
    sandbox.assert_names([]);
    let mut program = end(
        &sandbox,
        Script::new(),
        "at_exit=false acquire forget say=ready wait",
    );
    program.expect("ready");
    program.signal(Signal::SIGTERM);
    program.expect_death_by(Signal::SIGTERM);
    sandbox.assert_names([]);
}

/// That the file is there, stale, and taken over at once.
#[track_caller]
fn assert_stale(sandbox: &Sandbox, pid: u32) {
    sandbox.assert_names(["it.pid"]);
    assert_eq!(
        fs::read_to_string(sandbox.pidfile()).unwrap(),
        format!("{pid}\n")
    );
    assert!(!is_locked(&sandbox.pidfile()));
    let status = Options::new().path(sandbox.pidfile()).status().unwrap();
    assert_eq!(status, Status::Stale { pid: Some(pid) });
    sandbox.assert_next_start_works();
    sandbox.assert_names([]);
}

#[test]
fn after_abort_the_next_start_takes_over() {
    let sandbox = Sandbox::new();
    let mut program = end(&sandbox, Script::new(), "acquire abort");
    program.expect_death_by(Signal::SIGABRT);
    assert_stale(&sandbox, program.pid());
}

#[test]
fn after_underscore_exit_the_next_start_takes_over() {
    let sandbox = Sandbox::new();
    let mut program = end(&sandbox, Script::new(), "acquire _exit=7");
    program.expect_exit(7);
    assert_stale(&sandbox, program.pid());
}

#[test]
fn after_sigkill_the_next_start_takes_over() {
    let sandbox = Sandbox::new();
    let mut program = sandbox.hold();
    program.signal(Signal::SIGKILL);
    program.expect_death_by(Signal::SIGKILL);
    assert_stale(&sandbox, program.pid());
}

#[test]
fn after_a_panic_that_aborts_the_next_start_takes_over() {
    let sandbox = Sandbox::new();
    let Some(aborting) = aborting_holder() else {
        return;
    };
    let mut program = end(&sandbox, Script::of(&aborting), "acquire panic");
    program.expect_death_by(Signal::SIGABRT);
    assert_stale(&sandbox, program.pid());
    // All other ends are as they were.
    end(&sandbox, Script::of(&aborting), "acquire forget exit=7").expect_exit(7);
    sandbox.assert_names([]);
}

/// The program `holder`, built in a profile of its own in which a panic aborts.
fn aborting_holder() -> Option<PathBuf> {
    const PROFILE: [&str; 3] = [
        "profile.aborting.inherits='dev'",
        "profile.aborting.panic='abort'",
        "profile.aborting.debug=false",
    ];
    let mut arguments = vec![
        "build",
        "--quiet",
        "--bin",
        "holder",
        "--profile",
        "aborting",
    ];
    for setting in PROFILE {
        arguments.extend(["--config", setting]);
    }
    let built = cargo(env!("CARGO_MANIFEST_DIR").as_ref(), &arguments)?;
    assert!(built.status.success(), "{built:?}");
    Some(target_dir().join("aborting/holder"))
}

#[test]
fn a_failed_start_ends_with_the_status_of_its_error_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let missing = sandbox.path("missing/it.pid");
    let (status, lines) = holder(&missing).steps("acquire wait").run();
    assert_eq!(status.code(), Some(73));
    assert_eq!(lines.len(), 1);
    sandbox.assert_names([]);
}
