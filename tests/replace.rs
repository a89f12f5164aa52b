//! A start with `replace` stops the holder and takes its place; never are two of them inside.

use std::fs;
use std::time::Duration;

use nix::fcntl::FlockArg;
use nix::sys::signal::Signal;
use pidfile::{Error, Options, PidFile};

use crate::hard_times::clock;
use crate::support::{
    Program, Sandbox, eventually, holder, is_locked, is_root, lock, refused, storm,
};

/// A holder that took the place of another one, if there was any.
fn replacer(sandbox: &Sandbox) -> Program {
    let mut program = holder(sandbox.pidfile())
        .steps("replace=30000 acquire wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    program
}

#[test]
fn a_free_or_stale_file_is_taken_as_by_any_start() {
    let sandbox = Sandbox::new();
    let mut first = replacer(&sandbox);
    first.signal(Signal::SIGKILL);
    first.expect_death_by(Signal::SIGKILL);
    let mut second = replacer(&sandbox);
    second.tell();
    assert!(second.wait().success());
    // A stranger that the file names is not asked to end.
    let mut stranger = holder(sandbox.path("other.pid"))
        .steps("acquire wait")
        .start();
    stranger.expect("held ");
    sandbox.file("it.pid", format!("{}\n", stranger.pid()));
    let _third = replacer(&sandbox);
    assert!(stranger.is_running());
}

#[test]
fn two_programs_replace_each_other_in_turn() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    for _ in 0..storm(20, 200) {
        let next = replacer(&sandbox);
        holding.expect_death_by(Signal::SIGTERM);
        holding = next;
    }
    let text = fs::read_to_string(sandbox.pidfile()).unwrap();
    assert_eq!(text, format!("{}\n", holding.pid()));
    holding.tell();
    assert!(holding.wait().success());
    sandbox.assert_names([]);
}

#[test]
fn a_suspended_holder_is_replaced() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    holding.signal(Signal::SIGSTOP);
    let _next = replacer(&sandbox);
    holding.expect_death_by(Signal::SIGTERM);
}

#[test]
fn of_ten_starters_that_replace_at_once_the_last_one_stands() {
    for _ in 0..storm(3, 30) {
        let sandbox = Sandbox::new();
        let witness = sandbox.path("witness");
        let mut starters: Vec<_> = (0..10)
            .map(|_| {
                holder(sandbox.pidfile())
                    .steps("replace=60000 acquire")
                    .set("work-alone", &witness)
                    .start()
            })
            .collect();
        eventually("one that stands", || {
            let running = starters.iter_mut().map(Program::is_running);
            running.filter(|runs| *runs).count() == 1
        });
        let standing = starters
            .iter_mut()
            .position(Program::is_running)
            .expect("one stands");
        let mut last = starters.remove(standing);
        // Every other one was replaced: none was refused, and none met another one at work.
        for mut starter in starters {
            starter.expect_death_by(Signal::SIGTERM);
        }
        last.expect_held(&sandbox.pidfile());
        last.expect("working");
        assert!(is_locked(&sandbox.pidfile()));
        last.signal(Signal::SIGTERM);
        last.expect_death_by(Signal::SIGTERM);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_holder_that_does_not_leave_is_still_running() {
    let sandbox = Sandbox::new();
    let mut holding = holder(sandbox.pidfile())
        .steps("ignore=SIGTERM acquire wait")
        .start();
    holding.expect_held(&sandbox.pidfile());
    // On a busy machine the time may be up before the holder is found. It then gets no signal.
    let mut patience = [50, 500, 5_000, 20_000].into_iter();
    let (refusal, patience) = loop {
        let patience = patience.next().expect("enough time to find the holder");
        let script = holder(sandbox.pidfile()).set("replace", patience.to_string());
        let refusal = script.steps("acquire").refusal();
        if refusal.variant != "Locked" {
            break (refusal, Duration::from_millis(patience));
        }
    };
    refusal
        .expect("StillRunning", 75)
        .expect_pid(holding.pid())
        .expect_message(format!(
            "is still held after {patience:?} by process {} (holder); wait longer",
            holding.pid()
        ));
    assert!(holding.is_running());
    assert!(is_locked(&sandbox.pidfile()));
    holding.tell();
    assert!(holding.wait().success());
    sandbox.assert_names([]);
}

#[test]
fn a_holder_that_is_not_certain_is_left_alone() {
    let sandbox = Sandbox::new();
    let mut stranger = holder(sandbox.path("other.pid"))
        .steps("acquire wait")
        .start();
    stranger.expect("held ");
    let path = sandbox.file("it.pid", format!("{}\n", stranger.pid()));
    let held = lock(&path, FlockArg::LockExclusive);
    holder(&path)
        .steps("replace=50 acquire")
        .refusal()
        .expect("UnknownHolder", 75)
        .expect_pid(std::process::id());
    assert!(stranger.is_running());
    drop(held);

    // It becomes certain while the start is patient.
    let mut holding = holder(&path).steps("acquire wait").start();
    holding.expect_held(&path);
    fs::write(&path, "").unwrap();
    let mut next = holder(&path)
        .steps("replace=30000 say=starting acquire wait")
        .start();
    next.expect("starting");
    next.expect_silence();
    fs::write(&path, format!("{}\n", holding.pid())).unwrap();
    next.expect_held(&path);
    holding.expect_death_by(Signal::SIGTERM);
    assert!(stranger.is_running());
}

#[test]
fn a_holder_that_becomes_certain_during_the_wait_is_replaced() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    let path = sandbox.file("it.pid", "");
    let mut next = holder(&path)
        .steps("replace=60000 on-wait acquire wait")
        .start();
    next.expect("notice ");
    fs::write(&path, format!("{}\n", holding.pid())).unwrap();
    next.expect("notice ");
    next.expect_held(&path);
    holding.expect_death_by(Signal::SIGTERM);
}

#[test]
fn a_holder_gets_no_signal_when_the_time_is_up() {
    let sandbox = Sandbox::new();
    // By this clock it is up before the holder is found.
    let Some(clock) = clock(&sandbox, "1000000000") else {
        return;
    };
    let mut holding = sandbox.hold();
    let script = holder(sandbox.pidfile()).env("LD_PRELOAD", &clock);
    let refusal = script.steps("replace=1 acquire").refusal();
    refusal.expect("Locked", 75).expect_pid(holding.pid());
    // It has got no signal before this line.
    holding.tell();
    holding.expect_exit(0);
}

#[test]
fn this_process_and_a_program_that_does_not_lock_are_not_replaced() {
    let sandbox = Sandbox::new();
    let options = Options::new()
        .path(sandbox.pidfile())
        .replace(Duration::from_secs(30));
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    let error = refused(options.acquire());
    assert!(
        matches!(error, Error::Locked { own: true, .. }),
        "{error:?}"
    );
    guard.release().unwrap();

    let mut stranger = holder(sandbox.path("other.pid"))
        .steps("acquire wait")
        .start();
    stranger.expect("held ");
    holder(sandbox.pidfile())
        .steps("acquire forget _exit=0")
        .run();
    sandbox.file("it.pid", format!("{}\n", stranger.pid()));
    // The same program, so that `refuse_live` refuses.
    holder(sandbox.pidfile())
        .steps("refuse_live=true replace=30000 acquire")
        .refusal()
        .expect("Running", 75)
        .expect_pid(stranger.pid());
    assert!(stranger.is_running());
}

#[test]
fn a_holder_of_another_user_is_not_replaced_without_the_right() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let mut holding = sandbox.hold();
    holder(sandbox.pidfile())
        .steps("replace=30000 acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect("Io", 77)
        .expect_message(format!(
            "it is process {} (holder) of user root",
            holding.pid()
        ));
    assert!(holding.is_running());
}

#[test]
fn replace_excludes_wait_and_needs_the_lock_and_some_time() {
    let sandbox = Sandbox::new();
    let base = Options::new()
        .path(sandbox.pidfile())
        .replace(Duration::from_secs(1));
    for (options, text) in [
        (
            base.clone().wait(Duration::ZERO),
            "cannot be combined with `wait`",
        ),
        (base.clone().lock(false), "needs the lock"),
        (base.clone().replace(Duration::ZERO), "is zero"),
    ] {
        for error in [
            refused(options.acquire()),
            options.reserve().unwrap_err(),
            options.status().unwrap_err(),
            options.holder().unwrap_err(),
            options.resolved_path().unwrap_err(),
        ] {
            assert!(matches!(error, Error::Config { .. }), "{error:?}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
    sandbox.assert_names([]);
}
