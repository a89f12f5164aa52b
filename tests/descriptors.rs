//! How many descriptors a guard needs, which numbers they have, and that no program inherits them.

use nix::sys::signal::Signal;

use crate::support::{Program, Sandbox, descriptors, eventually, holder, is_locked};

/// The numbers of descriptors that are open on the sandbox or on something in it.
fn ours(sandbox: &Sandbox, pid: u32) -> Vec<u32> {
    let open = descriptors(pid).into_iter();
    open.filter(|(_, target)| target.starts_with(sandbox.dir()))
        .map(|(number, _)| number)
        .collect()
}

#[track_caller]
fn ready(steps: &str, sandbox: &Sandbox) -> Program {
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect("ready");
    program
}

#[test]
fn a_guard_costs_two_descriptors_and_gives_them_back() {
    let sandbox = Sandbox::new();
    let steps = "say=ready wait acquire wait release say=released wait";
    let mut program = ready(steps, &sandbox);
    let before = program.descriptors();
    program.tell();
    program.expect_held(&sandbox.pidfile());
    assert_eq!(program.descriptors().len(), before.len() + 2);
    assert_eq!(
        ours(&sandbox, program.pid()).len(),
        2,
        "the file and its directory"
    );
    program.tell();
    program.expect("released");
    program.expect("released");
    assert_eq!(program.descriptors(), before);
}

#[test]
fn a_refused_acquire_leaves_no_descriptor() {
    let sandbox = Sandbox::new();
    let _holder = sandbox.hold();
    let mut program = ready("say=ready wait try try try say=tried wait", &sandbox);
    let before = program.descriptors();
    program.tell();
    for _ in 0..3 {
        program.refusal().expect("Locked", 75);
    }
    program.expect("tried");
    assert_eq!(program.descriptors(), before);
}

#[test]
fn descriptors_live_above_the_standard_three() {
    let sandbox = Sandbox::new();
    // The program has no output here, so the test watches the file itself.
    let steps = "say=ready wait close=1 close=2 acquire wait";
    let mut program = ready(steps, &sandbox);
    program.tell();
    eventually("held", || is_locked(&sandbox.pidfile()));
    let numbers = ours(&sandbox, program.pid());
    assert_eq!(numbers.len(), 2);
    assert!(numbers.iter().all(|&number| number > 2), "{numbers:?}");
    program.signal(Signal::SIGTERM);
    program.expect_death_by(Signal::SIGTERM);
    sandbox.assert_names([]);
}

#[test]
fn descriptors_of_a_waiter_live_above_the_standard_three() {
    let sandbox = Sandbox::new();
    let _held = sandbox.hold();
    let steps = "say=ready wait close=0 close=1 close=2 patience=max acquire";
    let mut program = ready(steps, &sandbox);
    program.tell();
    // It sleeps, so it has everything open that it waits with.
    eventually("a waiter that sleeps", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
        program.has_open(&sandbox.pidfile()) && stat.contains(") S ")
    });
    let numbers: Vec<_> = program
        .descriptors()
        .into_iter()
        .map(|(number, _)| number)
        .collect();
    assert!(numbers.iter().all(|&number| number > 2), "{numbers:?}");
}

#[test]
fn a_spawned_program_inherits_nothing_and_outlives_a_killed_holder() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("acquire spawn wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    let spawned: u32 = program.expect("spawned ").parse().unwrap();
    assert!(
        ours(&sandbox, spawned).is_empty(),
        "{:?}",
        descriptors(spawned)
    );
    program.signal(Signal::SIGKILL);
    program.expect_death_by(Signal::SIGKILL);
    sandbox.assert_next_start_works();
    assert!(!descriptors(spawned).is_empty(), "it still runs");
}
