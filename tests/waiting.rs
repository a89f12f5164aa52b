//! A start that waits for its turn.

use std::fs;

use nix::sys::signal::Signal::{self, SIGINT, SIGKILL, SIGTERM};

use crate::support::{
    Program, Sandbox, Script, Snapshot, can_unshare, eventually, holder, is_locked, needs,
};

/// A program that waits for the file, without limit unless the steps set one.
#[track_caller]
fn waiter(sandbox: &Sandbox, steps: &str) -> Program {
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=max")
        .steps(steps)
        .start();
    looks_at(&mut waiter, sandbox);
    waiter
}

/// Returns once it has the held file open, which a waiter has all the time.
#[track_caller]
fn looks_at(waiter: &mut Program, sandbox: &Sandbox) {
    eventually("a waiter", || {
        assert!(waiter.is_running(), "it does not wait");
        waiter.has_open(&sandbox.pidfile())
    });
}

/// That it holds now, under its own number.
#[track_caller]
fn expect_turn(waiter: &mut Program, sandbox: &Sandbox) {
    waiter.expect_held(&sandbox.pidfile());
    let record = fs::read_to_string(sandbox.pidfile()).unwrap();
    assert_eq!(record, format!("{}\n", waiter.pid()));
    assert!(is_locked(&sandbox.pidfile()));
    sandbox.assert_names(["it.pid"]);
}

/// That a waiter gets its turn when the holder, which has taken these steps, ends so.
#[track_caller]
fn assert_turn_after(steps: &str, signal: Option<Signal>) {
    let sandbox = Sandbox::new();
    let mut first = holder(sandbox.pidfile())
        .steps(&format!("acquire wait {steps}"))
        .start();
    first.expect_held(&sandbox.pidfile());
    let before = Snapshot::of(sandbox.pidfile());
    let mut second = waiter(&sandbox, "acquire wait");
    assert_eq!(
        Snapshot::of(sandbox.pidfile()),
        before,
        "a waiter changes nothing"
    );
    second.expect_silence();
    match signal {
        Some(signal) => first.signal(signal),
        None => first.tell(),
    }
    expect_turn(&mut second, &sandbox);
    second.tell();
    second.expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn a_waiter_holds_after_the_holders_release() {
    assert_turn_after("release wait", None);
    assert_turn_after("drop wait", None);
}

#[test]
fn a_waiter_holds_after_the_holders_exit() {
    assert_turn_after("exit=0", None);
    assert_turn_after("forget exit-on-a-thread=0", None);
    assert_turn_after("", None);
}

#[test]
fn a_waiter_holds_after_the_holder_was_killed() {
    assert_turn_after("", Some(SIGKILL));
    assert_turn_after("", Some(SIGTERM));
    assert_turn_after("_exit=0", None);
}

#[test]
fn a_waiter_holds_after_the_name_was_removed() {
    let sandbox = Sandbox::new();
    let _first = sandbox.hold();
    let mut second = waiter(&sandbox, "acquire wait");
    fs::remove_file(sandbox.pidfile()).unwrap();
    expect_turn(&mut second, &sandbox);
}

#[test]
fn a_waiter_holds_after_the_name_was_replaced_by_a_stale_file() {
    let sandbox = Sandbox::new();
    let _first = sandbox.hold();
    let mut second = waiter(&sandbox, "acquire wait");
    fs::rename(sandbox.file("stale", "2147483647\n"), sandbox.pidfile()).unwrap();
    expect_turn(&mut second, &sandbox);
}

#[test]
fn a_waiter_waits_on_for_the_holder_of_a_replaced_name() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.hold();
    // The third takes its place under another name, so that the name itself is never free.
    let next = sandbox.path("next");
    let mut third = holder(&next).steps("acquire wait").start();
    third.expect_held(&next);
    let mut second = waiter(&sandbox, "acquire wait");
    fs::rename(&next, sandbox.pidfile()).unwrap();
    first.signal(SIGKILL);
    first.expect_death_by(SIGKILL);
    // It has the third's file open now, and waits.
    let replaced = Snapshot::of(sandbox.pidfile());
    looks_at(&mut second, &sandbox);
    second.expect_silence();
    assert_eq!(Snapshot::of(sandbox.pidfile()), replaced);
    third.signal(SIGKILL);
    expect_turn(&mut second, &sandbox);
}

#[test]
fn after_the_deadline_a_waiter_is_told_locked_with_the_holders_pid() {
    let sandbox = Sandbox::new();
    let first = sandbox.hold();
    let before = Snapshot::of(sandbox.pidfile());
    for patience in ["0", "1", "100"] {
        let steps = format!("patience={patience} acquire");
        let mut second = holder(sandbox.pidfile()).steps(&steps).start();
        let held = match patience {
            "0" => "is held".to_owned(),
            _ => format!("is still held after {patience}ms"),
        };
        second
            .refusal()
            .expect("Locked", 75)
            .expect_pid(first.pid())
            .expect_message(format!("{held} by process {} (holder); stop", first.pid()));
        second.expect_exit(75);
    }
    assert_eq!(Snapshot::of(sandbox.pidfile()), before);
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn after_the_deadline_a_wait_for_ourselves_is_over_too() {
    let sandbox = Sandbox::new();
    let steps = "acquire patience=50 try say=told wait";
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect_held(&sandbox.pidfile());
    program
        .refusal()
        .expect("Locked", 75)
        .expect_pid(program.pid())
        .expect_message("it.pid is still held after 50ms by this process; release it first");
    program.expect("told");
    assert!(is_locked(&sandbox.pidfile()));
}

#[test]
fn a_wait_is_for_a_holder_and_for_nothing_else() {
    let sandbox = Sandbox::new();
    let patient = |path| holder(path).steps("patience=max acquire").start();
    // The file is free: no wait.
    patient(sandbox.pidfile()).expect("held ");
    sandbox.file("it.pid", "2147483647\n");
    patient(sandbox.pidfile()).expect("held ");
    // Something is wrong that no wait would mend.
    let text = sandbox.file("text", "not a pidfile\n");
    patient(text).refusal().expect("NotPidfile", 73);
    assert_eq!(
        patient(sandbox.path("missing/it.pid")).refusal().variant,
        "Io"
    );
}

#[test]
fn ten_waiters_all_get_their_turn() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.hold();
    let waiters: Vec<_> = (0..10)
        .map(|_| waiter(&sandbox, "acquire release"))
        .collect();
    first.tell();
    first.expect_exit(0);
    for mut waiter in waiters {
        waiter.expect_held(&sandbox.pidfile());
        waiter.expect("released");
        waiter.expect_exit(0);
    }
    sandbox.assert_names([]);
}

#[test]
fn ten_waiters_all_get_their_turn_though_every_holder_is_killed() {
    let sandbox = Sandbox::new();
    let mut waiters = vec![sandbox.hold()];
    waiters.extend((0..10).map(|_| waiter(&sandbox, "acquire wait")));
    // The process that the file names holds it, and is the next to go.
    while !waiters.is_empty() {
        let mut named = None;
        eventually("the next holder", || {
            let record = fs::read_to_string(sandbox.pidfile()).unwrap_or_default();
            named = waiters
                .iter()
                .position(|waiter| record == format!("{}\n", waiter.pid()));
            named.is_some() && is_locked(&sandbox.pidfile())
        });
        let mut holder = waiters.remove(named.unwrap());
        holder.signal(SIGKILL);
        holder.expect_death_by(SIGKILL);
    }
    sandbox.assert_names(["it.pid"]);
    sandbox.assert_next_start_works();
}

#[test]
fn a_waiter_that_is_killed_while_it_waits_leaves_nothing() {
    let sandbox = Sandbox::new();
    let mut first = sandbox.hold();
    let before = Snapshot::of(sandbox.pidfile());
    for signal in [SIGTERM, SIGINT, SIGKILL] {
        let mut second = waiter(&sandbox, "acquire wait");
        second.signal(signal);
        second.expect_death_by(signal);
        assert_eq!(Snapshot::of(sandbox.pidfile()), before);
        sandbox.assert_names(["it.pid"]);
        assert!(is_locked(&sandbox.pidfile()));
    }
    first.tell();
    first.expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn a_reservation_waits_like_an_acquire() {
    let sandbox = Sandbox::new();
    let first = sandbox.hold();
    let mut second = waiter(&sandbox, "reserve adopt wait");
    first.signal(SIGKILL);
    second.expect("reserved ");
    expect_turn(&mut second, &sandbox);
}

#[test]
fn without_the_lock_a_waiter_holds_after_the_holders_exit_and_after_it_was_killed() {
    for signal in [None, Some(SIGKILL)] {
        let sandbox = Sandbox::new();
        let mut first = holder(sandbox.pidfile())
            .steps("lock=false acquire wait")
            .start();
        first.expect_held(&sandbox.pidfile());
        let mut second = waiter(&sandbox, "lock=false acquire wait");
        match signal {
            Some(signal) => first.signal(signal),
            None => first.tell(),
        }
        // Reaped at once, so that the number is free and not a zombie's.
        first.wait();
        second.expect_held(&sandbox.pidfile());
    }
}

/// That a waiter which is started so gets its turn, and gets it without inotify.
#[track_caller]
fn assert_turn_without_inotify(script: impl Fn(Script) -> Script) {
    for signal in [None, Some(SIGKILL)] {
        let sandbox = Sandbox::new();
        let mut first = sandbox.hold();
        let second = holder(sandbox.pidfile()).steps("patience=max");
        let mut second = script(second).steps("acquire wait").start();
        looks_at(&mut second, &sandbox);
        match signal {
            Some(signal) => first.signal(signal),
            None => first.tell(),
        }
        let line = second.expect("held ");
        assert!(
            line.ends_with(sandbox.pidfile().to_str().unwrap()),
            "{line}"
        );
        assert!(is_locked(&sandbox.pidfile()));
    }
}

#[test]
fn without_inotify_a_waiter_holds_all_the_same() {
    // Only in a user namespace of its own, so that no other program is limited.
    const NONE: &str = "echo 0 >/proc/sys/user/max_inotify_instances && exec \"$0\" \"$@\"";
    if can_unshare(&["--user", "--map-root-user"]) {
        let command = ["unshare", "--user", "--map-root-user", "sh", "-c", NONE];
        assert_turn_without_inotify(|script| script.under(&command));
    }
}

#[test]
fn without_proc_a_waiter_holds_all_the_same() {
    let empty = tempfile::tempdir().unwrap();
    let bind = format!("{},/proc", empty.path().display());
    if needs(can_unshare(&["--mount"]), "a mount namespace") {
        assert_turn_without_inotify(|script| script.steps("private-mounts").set("bind", &bind));
    }
}

#[test]
fn without_a_descriptor_for_inotify_a_waiter_holds_all_the_same() {
    // Three are the standard ones, and a start needs a few. One of these limits leaves room for
    // everything but inotify.
    for limit in 5..9 {
        let sandbox = Sandbox::new();
        let mut first = sandbox.hold();
        let steps = format!("limit-files={limit} patience=max try");
        let mut second = holder(sandbox.pidfile()).steps(&steps).start();
        let mut settled = false;
        eventually("a waiter or a refusal", || {
            settled = second.has_open(&sandbox.pidfile());
            settled || !second.is_running()
        });
        first.tell();
        first.expect_exit(0);
        let line = second.line().unwrap();
        assert!(
            line.starts_with("held ") || line.starts_with("refused\tIo\t"),
            "{limit}: {line}"
        );
    }
}

#[test]
fn without_the_lock_a_wait_for_itself_and_for_another_process_sleeps() {
    let sandbox = Sandbox::new();
    // A sleeping process needs next to nothing of its second; the kernel ends one that spins.
    let start = |steps: &str| {
        let script = holder(sandbox.pidfile()).steps("limit-processor=1 lock=false");
        script.steps(steps).start()
    };
    let mut first = start("acquire patience=3000 try wait");
    first.expect_held(&sandbox.pidfile());
    let mut second = start("patience=3000 try");
    second.refusal().expect_pid(first.pid());
    first.refusal().expect_pid(first.pid());
    first.let_go();
    first.expect_exit(0);
    sandbox.assert_names([]);
}
