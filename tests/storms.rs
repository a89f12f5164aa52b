//! Ends at random moments, over and over.

use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use nix::sys::signal::Signal::{self, SIGINT, SIGTERM};

use crate::support::{Program, Sandbox, Script, a_moment, holder, is_tmpfile_supported, storm};

/// How often a program with eight threads is ended.
fn runs() -> usize {
    storm(30, 300)
}

/// Long enough for a few rounds of one acquire-release loop, or a few hundred of eight loops.
const MOMENT: Duration = Duration::from_millis(4);

/// A program that has said that it is ready.
#[track_caller]
fn ready(sandbox: &Sandbox, steps: &str) -> Program {
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect("ready");
    program
}

#[track_caller]
fn assert_one_of(program: &mut Program, signals: &[Signal], code: Option<i32>) {
    let status = program.wait();
    let by_signal = signals
        .iter()
        .any(|&signal| status.signal() == Some(signal as i32));
    assert!(
        by_signal || (code.is_some() && status.code() == code),
        "{status}"
    );
}

/// That TERM at a random moment leaves no file and is the status, in that many runs.
#[track_caller]
fn term_storm(runs: usize, steps: &str) {
    let sandbox = Sandbox::new();
    for _ in 0..runs {
        let mut program = ready(&sandbox, steps);
        a_moment(MOMENT);
        program.signal(SIGTERM);
        program.expect_death_by(SIGTERM);
        sandbox.assert_names([]);
    }
}

#[test]
fn term_at_any_moment_of_an_acquire_release_loop_leaves_no_file() {
    term_storm(storm(60, 300), "churn");
}

#[test]
fn term_at_any_moment_of_eight_acquire_release_loops_leaves_no_file() {
    term_storm(runs(), "workers=8 say=ready wait");
}

#[test]
fn term_at_any_moment_of_eight_loops_on_one_file_leaves_no_file() {
    term_storm(storm(15, 100), "rivals=8 say=ready wait");
}

#[test]
fn term_and_int_at_once_at_any_moment_of_eight_loops_leave_no_file() {
    let sandbox = Sandbox::new();
    for _ in 0..runs() {
        let mut program = ready(&sandbox, "workers=8 say=ready wait");
        a_moment(MOMENT);
        program.signal(SIGTERM);
        program.signal(SIGINT);
        assert_one_of(&mut program, &[SIGTERM, SIGINT], None);
        sandbox.assert_names([]);
    }
}

#[test]
fn term_and_int_on_two_threads_beside_eight_loops_leave_no_file() {
    let sandbox = Sandbox::new();
    for _ in 0..runs() {
        let mut program = ready(
            &sandbox,
            "workers=8 say=ready raise-on-two-threads=SIGTERM,SIGINT",
        );
        assert_one_of(&mut program, &[SIGTERM, SIGINT], None);
        sandbox.assert_names([]);
    }
}

#[test]
fn exit_on_one_thread_while_term_hits_another_beside_eight_loops_leaves_no_file() {
    let sandbox = Sandbox::new();
    for run in 0..runs() {
        // At the same moment in half of the runs, shortly after one another in the others.
        let mut program = if run % 2 == 0 {
            ready(&sandbox, "workers=8 say=ready exit-and-raise=7,SIGTERM")
        } else {
            let mut program = ready(&sandbox, "workers=8 say=ready wait exit-on-a-thread=7");
            program.tell();
            a_moment(MOMENT / 4);
            program.signal(SIGTERM);
            program
        };
        assert_one_of(&mut program, &[SIGTERM], Some(7));
        sandbox.assert_names([]);
    }
}

#[test]
fn thousands_of_killed_starts_are_never_two_inside_and_leave_no_litter() {
    let sandbox = Sandbox::new();
    let witness = sandbox.path("witness");
    // Two at a time are quick. With four, one finds what another left while a third arrives.
    for (starts, lanes) in [(storm(1_500, 15_000), "2"), (storm(500, 5_000), "4")] {
        let script = Script::of(env!("CARGO_BIN_EXE_contender"));
        let script = script.argument(sandbox.pidfile()).argument(&witness);
        let mut storm = script.argument(starts.to_string()).argument(lanes).start();
        for round in (0..starts).step_by(10) {
            storm.expect(&format!("round {round}"));
        }
        storm.expect("done");
        storm.expect_exit(0);
        sandbox.assert_next_start_works();
    }
    assert!(
        std::fs::metadata(&witness).unwrap().len() > 0,
        "no process was ever inside"
    );
    // A nameless file goes with its process; one with a name would stay.
    if is_tmpfile_supported(sandbox.dir()) {
        sandbox.assert_names(["witness"]);
    }
}
