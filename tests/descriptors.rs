//! How many descriptors a guard needs, which numbers they have, and that no program inherits them.

use nix::libc;
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
    let closed = [
        "close=0",
        "close=1",
        "close=2",
        "close=0 close=1",
        "close=0 close=2",
        "close=1 close=2",
        "close=0 close=1 close=2",
    ];
    let forms: &[&str] = if cfg!(target_os = "linux") {
        &["", "no-nameless-files"]
    } else {
        &[""]
    };
    for form in forms {
        for closed in closed {
            let sandbox = Sandbox::new();
            // The program may have no output here, so the test watches the file itself.
            let steps = format!("say=ready wait {closed} {form} acquire park");
            let mut program = ready(&steps, &sandbox);
            program.tell();
            eventually("held", || is_locked(&sandbox.pidfile()));
            let numbers = ours(&sandbox, program.pid());
            assert_eq!(numbers.len(), 2, "{steps}");
            assert!(
                numbers.iter().all(|&number| number > 2),
                "{steps}: {numbers:?}"
            );
            program.signal(Signal::SIGTERM);
            program.expect_death_by(Signal::SIGTERM);
            sandbox.assert_names([]);
        }
    }
}

/// What it has open to learn of events.
fn watches(program: &Program) -> Vec<String> {
    let open = program.descriptors().into_iter();
    open.filter(|(_, target)| target.ends_with("anon_inode:inotify"))
        .map(|(number, _)| about(program.pid(), number))
        .collect()
}

/// Sleeps on them, so that it has everything open that it waits with.
#[track_caller]
fn asleep(program: &Program) {
    eventually("a waiter that sleeps", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.pid())).unwrap();
        watches(program).concat().contains("inotify wd:") && stat.contains(") S ")
    });
}

/// What the kernel says about a descriptor.
fn about(pid: u32, number: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).unwrap()
}

#[test]
fn descriptors_of_a_waiter_live_above_the_standard_three_and_are_not_inherited() {
    for closed in ["", "close=0", "close=2", "close=0 close=1 close=2"] {
        let sandbox = Sandbox::new();
        let _held = sandbox.hold();
        let steps = format!("say=ready wait {closed} patience=max acquire");
        let mut program = ready(&steps, &sandbox);
        let before = program.descriptors();
        program.tell();
        asleep(&program);
        let mut open = program.descriptors();
        open.retain(|descriptor| !before.contains(descriptor));
        assert!(open.len() >= 3, "{open:?}");
        for (number, target) in open {
            assert!(number > 2, "{closed}: {number} is {}", target.display());
            let flags = about(program.pid(), number);
            let flags = flags.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
            assert_ne!(flags & libc::O_CLOEXEC, 0, "{}", target.display());
        }
    }
}

/// The kernel takes milliseconds to close an instance of inotify, so one stays for later waits, and
/// watches nothing.
#[cfg(target_os = "linux")]
#[test]
fn a_waiter_watches_its_file_and_then_nothing() {
    let sandbox = Sandbox::new();
    let round = "wait acquire wait release ";
    let mut program = ready(
        &format!("say=ready patience=max {}", round.repeat(3)),
        &sandbox,
    );
    for link in ["first", "second", "third"] {
        let mut held = sandbox.hold();
        // The watch does not end with the file.
        std::fs::hard_link(sandbox.pidfile(), sandbox.path(link)).unwrap();
        program.tell();
        asleep(&program);
        let watching = watches(&program).concat();
        let (_, mask) = watching.split_once(" mask:").expect("a watch");
        let mask = u32::from_str_radix(mask.split(' ').next().unwrap(), 16).unwrap();
        // Modified, or its metadata, or closed by a writer.
        let events = libc::IN_MODIFY | libc::IN_ATTRIB | libc::IN_CLOSE_WRITE;
        assert_eq!(mask & libc::IN_ALL_EVENTS, events, "{watching}");
        held.tell();
        program.expect_held(&sandbox.pidfile());
        let [rest] = &watches(&program)[..] else {
            panic!("one instance stays: {:?}", watches(&program));
        };
        assert!(!rest.contains("inotify wd:"), "{rest}");
        program.tell();
        program.expect("released");
    }
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
