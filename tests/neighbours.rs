//! Signal handlers of other crates: one that was installed after ours owns the shutdown, and the
//! file goes when it is done.

use nix::sys::signal::Signal::{self, SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::support::{Program, Sandbox, Script, is_locked};

fn graceful(sandbox: &Sandbox, handlers: &str, order: &str) -> Program {
    let script = Script::of(env!("CARGO_BIN_EXE_graceful")).argument(handlers);
    script.argument(sandbox.pidfile()).argument(order).start()
}

/// That the program's own shutdown runs to its end, and that the file goes then and not before.
#[track_caller]
fn assert_graceful(handlers: &str, order: &str, signals: &[Signal]) {
    for &signal in signals {
        let sandbox = Sandbox::new();
        let mut program = graceful(&sandbox, handlers, order);
        program.expect("ready");
        assert!(is_locked(&sandbox.pidfile()));
        program.signal(signal);
        program.expect("told, there");
        assert!(is_locked(&sandbox.pidfile()), "the work goes on");
        program.tell();
        program.expect("finished, there");
        program.expect_exit(0);
        sandbox.assert_names([]);
    }
}

const FOUR: [Signal; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

#[test]
fn signal_hook_after_us_runs_its_graceful_path_then_the_file_goes() {
    assert_graceful("signal-hook", "after", &FOUR);
    assert_graceful("signal-hook-flag", "after", &FOUR);
}

#[test]
fn signal_hook_before_us_runs_its_graceful_path_then_the_file_goes() {
    assert_graceful("signal-hook", "before", &FOUR);
    assert_graceful("signal-hook-flag", "before", &FOUR);
}

#[test]
fn tokio_after_us_runs_its_graceful_path_then_the_file_goes() {
    assert_graceful("tokio", "after", &FOUR);
}

#[test]
fn tokio_before_us_runs_its_graceful_path_then_the_file_goes() {
    assert_graceful("tokio", "before", &FOUR);
}

/// The signals that the crate takes.
const OF_CTRLC: [Signal; 3] = [SIGTERM, SIGINT, SIGHUP];

#[test]
fn ctrlc_after_us_runs_its_graceful_path_then_the_file_goes() {
    assert_graceful("ctrlc", "after", &OF_CTRLC);
}

#[test]
fn ctrlc_before_us_runs_its_graceful_path_then_the_file_goes() {
    assert_graceful("ctrlc", "before", &OF_CTRLC);
    assert_graceful("ctrlc-try", "before", &OF_CTRLC);
}

#[test]
fn ctrlcs_try_set_handler_refuses_after_us_and_not_if_we_leave_signals_alone() {
    let sandbox = Sandbox::new();
    let mut program = graceful(&sandbox, "ctrlc-try", "after");
    assert_eq!(program.line(), None, "it never gets ready");
    program.expect_exit(1);
    sandbox.assert_names([]);
    drop(sandbox);
    assert_graceful("ctrlc-try", "without", &OF_CTRLC);
}

#[test]
fn a_signal_that_the_crate_does_not_take_still_removes_the_file() {
    let sandbox = Sandbox::new();
    let mut program = graceful(&sandbox, "ctrlc", "after");
    program.expect("ready");
    program.signal(SIGQUIT);
    program.expect_death_by(SIGQUIT);
    sandbox.assert_names([]);
}
