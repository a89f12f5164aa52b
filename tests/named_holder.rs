//! A refusal and a status name only a process that has the lock.

#[cfg(target_arch = "x86_64")]
mod the_list;

use std::fs;

use pidfile::{Options, Status};

use crate::support::{
    Program, Sandbox, Script, Snapshot, Stepped, UNSHARE, can_unshare, eventually, holder,
    is_locked, storm,
};

/// A living process that has nothing to do with the file.
fn bystander() -> Program {
    let mut program = Script::of("cat").start();
    program.tell();
    program.expect("");
    program
}

/// The process that a status names, if it says that one holds the file.
fn named(status: &Status) -> Option<u32> {
    match status {
        Status::Held { pid } => *pid,
        _ => None,
    }
}

#[test]
fn no_refusal_names_a_process_of_a_stale_record_whoever_starts_at_once() {
    let sandbox = Sandbox::new();
    let bystander = bystander();
    let rounds = storm(50, 250);
    for record in [bystander.pid(), 1, std::process::id(), 2_147_483_647] {
        let script = Script::of(env!("CARGO_BIN_EXE_starters"));
        let script = script
            .argument(sandbox.pidfile())
            .argument(record.to_string());
        let script = script.argument(rounds.to_string()).argument("4");
        let mut starters = script.start();
        for round in 0..rounds {
            starters.expect(&format!("round {round}"));
        }
        let refusals: u32 = starters.expect("refusals ").parse().unwrap();
        // Of four starters at once, three are refused.
        assert_eq!(refusals, rounds * 3);
        starters.expect_exit(0);
    }
}

/// A process that stops before it acquires, traced by this thread.
fn stopped(script: Script) -> (Program, Stepped) {
    let mut program = script.steps("say=ready wait acquire wait").start();
    program.expect("ready");
    let stepped = Stepped::stop(program.pid());
    program.tell();
    (program, stepped)
}

/// That neither a status nor a start names anything but the true holder, which is the suspended
/// process or none, after it made so many system calls. `false` once it holds the file.
#[track_caller]
fn assert_truth_after(calls: usize, record: &str) -> bool {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", record);
    let (mut program, mut stepped) = stopped(holder(&path));
    for _ in 0..calls {
        stepped.next_call().expect("it does not end here");
        assert!(stepped.make_call(), "it does not end here");
    }
    let locked = is_locked(&path);
    let holds = fs::read_to_string(&path).unwrap_or_default() == format!("{}\n", program.pid());
    let may_be_named = [None, Some(program.pid())];
    let status = Options::new().path(&path).status().unwrap();
    assert!(
        may_be_named.contains(&named(&status)),
        "{calls} {record:?}: {status:?}"
    );
    assert!(
        !locked || matches!(status, Status::Held { .. }),
        "{calls}: {status:?}"
    );

    // A start is refused, or holds the file itself.
    let mut other = holder(&path).steps("acquire wait").start();
    let line = other.line().unwrap();
    let words: Vec<_> = line.split('\t').collect();
    if words[0] == "refused" {
        assert_eq!(words[1], "Locked", "{calls} {record:?}: {line}");
        let named = words[2].parse().ok();
        assert!(may_be_named.contains(&named), "{calls} {record:?}: {line}");
        assert!(locked, "{calls} {record:?}: {line}");
        drop(stepped);
        program.expect_held(&path);
    } else {
        assert!(!locked, "{calls} {record:?}: it was locked, and yet {line}");
        drop(stepped);
        let refusal = program.refusal();
        refusal.expect("Locked", 75).expect_pid(other.pid());
    }
    !(locked && holds)
}

#[test]
fn a_taker_that_is_suspended_after_any_system_call_is_named_truly_or_not_at_all() {
    let bystander = bystander();
    let living = format!("{}\n", bystander.pid());
    for record in [living.as_str(), "1\n", "2147483647\n"] {
        let mut calls = 0;
        while assert_truth_after(calls, record) {
            calls += 1;
            assert!(calls < 200, "it never holds");
        }
        assert!(calls > 10, "a take-over needs more than {calls} calls");
    }
}

#[test]
fn a_holder_in_another_pid_namespace_is_not_named_by_its_number_there() {
    let sandbox = Sandbox::new();
    if !can_unshare(&UNSHARE[1..]) {
        return;
    }
    let path = sandbox.pidfile();
    let mut outside = holder(&path).steps("acquire wait").under(&UNSHARE).start();
    outside.expect("held 1 ");
    let children = format!("/proc/{0}/task/{0}/children", outside.pid());
    let mut inside = None;
    eventually("process 1", || {
        let text = fs::read_to_string(&children).unwrap_or_default();
        inside = text.trim().parse::<u32>().ok();
        inside.is_some()
    });
    let before = Snapshot::of(&path);
    // From here it has another number, which may be said.
    let refusal = holder(&path)
        .steps("acquire")
        .refusal()
        .expect("Locked", 75);
    assert!([None, inside].contains(&refusal.pid), "{refusal:?}");
    let status = Options::new().path(&path).status().unwrap();
    assert!([None, inside].contains(&named(&status)), "{status:?}");
    // From a third namespace it has no number, and 1 is the starter itself.
    let third = holder(&path).steps("status acquire").under(&UNSHARE);
    let mut third = third.start();
    assert_eq!(third.expect("status "), "Held { pid: None }");
    third.refusal().expect("Locked", 75).expect_pid(None);
    assert_eq!(Snapshot::of(&path), before);
    outside.let_go();
    outside.expect_exit(0);
}

#[test]
fn a_living_process_that_left_its_lock_to_a_worker_is_not_named() {
    let sandbox = Sandbox::new();
    let steps = "acquire fork=wait close-all say=closed wait";
    let mut daemon = holder(sandbox.pidfile()).steps(steps).start();
    daemon.expect_held(&sandbox.pidfile());
    daemon.expect("closed");
    // It has set the lock, according to the kernel's list, and the file names it.
    let refusal = holder(sandbox.pidfile()).steps("acquire").refusal();
    refusal.expect("Locked", 75).expect_pid(None);
    let status = pidfile::status(sandbox.pidfile()).unwrap();
    assert_eq!(status, Status::Held { pid: None });
}

#[test]
fn a_foreign_lock_over_a_record_of_a_living_process_does_not_name_it() {
    let sandbox = Sandbox::new();
    let bystander = bystander();
    for record in [bystander.pid(), 1] {
        let path = sandbox.file("it.pid", format!("{record}\n"));
        let mut flock = Script::of("flock")
            .argument(&path)
            .steps("sh -c")
            .argument("echo locked; read line")
            .start();
        flock.expect("locked");
        let refusal = holder(&path)
            .steps("acquire")
            .refusal()
            .expect("Locked", 75);
        assert_ne!(refusal.pid, Some(record), "{refusal:?}");
        assert!(
            !refusal.message.contains(&format!("process {record} ")),
            "{refusal:?}"
        );
        let status = Options::new().path(&path).status().unwrap();
        assert!(matches!(status, Status::Held { .. }), "{status:?}");
        assert_ne!(named(&status), Some(record));
        flock.tell();
        flock.wait();
    }
}
