//! A signal that ends the process removes its file first, and the parent sees the signal.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::Signal::{self, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};

use crate::support::{Program, Sandbox, Snapshot, holder, is_locked, storm};

const FOUR: [Signal; 4] = [SIGTERM, SIGINT, SIGHUP, SIGQUIT];

/// A program that holds the file, with steps before and after.
#[track_caller]
fn holding(sandbox: &Sandbox, before: &str, after: &str) -> Program {
    let steps = format!("{before} acquire {after} say=ready wait");
    let mut program = holder(sandbox.pidfile()).steps(&steps).start();
    program.expect_held(&sandbox.pidfile());
    program.expect("ready");
    program
}

#[track_caller]
fn assert_removed_by(signal: Signal) {
    let sandbox = Sandbox::new();
    let mut program = holding(&sandbox, "", "");
    program.signal(signal);
    program.expect_death_by(signal);
    sandbox.assert_names([]);
}

#[test]
fn term_removes_the_file_and_the_parent_sees_it() {
    assert_removed_by(SIGTERM);
}

#[test]
fn int_removes_the_file_and_the_parent_sees_it() {
    assert_removed_by(SIGINT);
}

#[test]
fn hup_removes_the_file_and_the_parent_sees_it() {
    assert_removed_by(SIGHUP);
}

#[test]
fn quit_removes_the_file_and_the_parent_sees_it() {
    assert_removed_by(SIGQUIT);
}

#[test]
fn each_of_the_four_removes_a_forgotten_guards_file() {
    for signal in FOUR {
        let sandbox = Sandbox::new();
        let mut program = holding(&sandbox, "", "forget");
        program.signal(signal);
        program.expect_death_by(signal);
        sandbox.assert_names([]);
    }
}

#[test]
fn each_of_the_four_leaves_nothing_of_eight_threads_that_acquire_and_release() {
    for _ in 0..storm(5, 75) {
        for signal in FOUR {
            let sandbox = Sandbox::new();
            let mut program = holding(&sandbox, "", "workers=8");
            program.signal(signal);
            program.expect_death_by(signal);
            sandbox.assert_names([]);
        }
    }
}

#[test]
fn a_signal_that_a_thread_raises_itself_ends_the_process_like_any_other() {
    for signal in FOUR {
        let sandbox = Sandbox::new();
        let steps = format!("acquire workers=2 raise={signal}");
        let mut program = holder(sandbox.pidfile()).steps(&steps).start();
        program.expect_death_by(signal);
        sandbox.assert_names([]);
    }
}

/// That one of the two is what the parent sees, and that nothing is left.
#[track_caller]
fn assert_removed_by_two(steps: &str) {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect_held(&sandbox.pidfile());
    let status = program.wait();
    let seen = status.signal();
    assert!(
        seen == Some(SIGTERM as i32) || seen == Some(SIGINT as i32),
        "{status}"
    );
    sandbox.assert_names([]);
}

#[test]
fn two_signals_on_two_threads_at_once_leave_nothing() {
    for _ in 0..storm(20, 300) {
        assert_removed_by_two("acquire raise-on-two-threads=SIGTERM,SIGINT");
    }
}

#[test]
fn two_signals_on_two_threads_at_once_leave_nothing_of_eight_others() {
    for _ in 0..storm(20, 300) {
        assert_removed_by_two("acquire workers=8 raise-on-two-threads=SIGTERM,SIGINT");
    }
}

#[test]
fn all_files_of_a_process_go_and_no_other() {
    let sandbox = Sandbox::new();
    let script = holder(sandbox.path("a.pid"))
        .steps("acquire")
        .set("path", sandbox.path("b.pid"));
    let script = script
        .steps("acquire forget")
        .set("path", sandbox.path("c.pid"));
    let mut program = script.steps("signals=false acquire say=ready wait").start();
    for _ in 0..3 {
        program.expect("held ");
    }
    program.expect("ready");
    let _other = sandbox.hold();
    program.signal(SIGTERM);
    program.expect_death_by(SIGTERM);
    // A file acquired without clean-up on signals stays.
    sandbox.assert_names(["c.pid", "it.pid"]);
    assert!(is_locked(&sandbox.pidfile()));
}

#[test]
fn without_signals_the_file_stays_and_the_next_start_takes_over() {
    for signal in FOUR {
        let sandbox = Sandbox::new();
        let mut program = holding(&sandbox, "signals=false", "");
        assert_eq!(disposition(&program, signal), Disposition::Default);
        program.signal(signal);
        program.expect_death_by(signal);
        sandbox.assert_names(["it.pid"]);
        sandbox.assert_next_start_works();
    }
}

/// What a signal does in a process, according to the kernel.
#[derive(Debug, PartialEq, Eq)]
enum Disposition {
    Default,
    Ignored,
    Handled,
}

#[track_caller]
fn disposition(program: &Program, signal: Signal) -> Disposition {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid())).expect("/proc");
    let set_in = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .expect("a set of signals");
        let set = u64::from_str_radix(line.trim(), 16).expect("a number");
        set >> (signal as i32 - 1) & 1 == 1
    };
    match (set_in("SigIgn:"), set_in("SigCgt:")) {
        (true, _) => Disposition::Ignored,
        (_, true) => Disposition::Handled,
        _ => Disposition::Default,
    }
}

#[test]
fn only_the_four_are_handled_and_only_from_the_first_acquire_on() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("say=ready wait acquire wait release wait")
        .start();
    program.expect("ready");
    let others = Signal::iterator().filter(|signal| !FOUR.contains(signal));
    let before: Vec<_> = others
        .clone()
        .map(|signal| disposition(&program, signal))
        .collect();
    for signal in FOUR {
        assert_eq!(disposition(&program, signal), Disposition::Default);
    }
    program.tell();
    program.expect_held(&sandbox.pidfile());
    for signal in FOUR {
        assert_eq!(disposition(&program, signal), Disposition::Handled);
    }
    let after: Vec<_> = others.map(|signal| disposition(&program, signal)).collect();
    assert_eq!(after, before);
    // The next acquire need not install anything. Only process 1 must stand back.
    program.tell();
    program.expect("released");
    for signal in FOUR {
        assert_eq!(disposition(&program, signal), Disposition::Handled);
    }
}

#[test]
fn ignored_at_start_stays_ignored_and_the_file_stays() {
    for signal in FOUR {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let name = signal.as_str().trim_start_matches("SIG");
        let trap = format!("trap '' {name}; exec \"$0\" \"$@\"");
        let mut program = holder(&path)
            .steps("acquire say=ready wait say=alive wait")
            .under(&["sh", "-c", &trap])
            .start();
        program.expect_held(&path);
        program.expect("ready");
        let before = Snapshot::of(&path);
        assert_eq!(disposition(&program, signal), Disposition::Ignored);
        program.signal(signal);
        program.tell();
        program.expect("alive");
        assert_eq!(Snapshot::of(&path), before);
        assert!(is_locked(&path));
        // The other three work as before.
        let other = if signal == SIGTERM { SIGINT } else { SIGTERM };
        program.signal(other);
        program.expect_death_by(other);
        sandbox.assert_names([]);
    }
}

#[test]
fn nohup_is_respected() {
    let sandbox = Sandbox::new();
    let script = holder(sandbox.pidfile()).steps("acquire say=ready wait say=alive wait");
    let mut program = script.under(&["nohup"]).start();
    // Input and output are pipes, so nohup itself prints nothing and writes no file.
    program.expect_held(&sandbox.pidfile());
    program.expect("ready");
    program.signal(SIGHUP);
    program.tell();
    program.expect("alive");
    assert!(is_locked(&sandbox.pidfile()));
    program.tell();
    program.expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn handled_by_the_program_before_us_its_handler_runs_and_ours_is_not_installed() {
    for signal in FOUR {
        let sandbox = Sandbox::new();
        let before = format!("handle={signal}");
        let steps = format!("{before} acquire say=ready wait handled say=alive wait");
        let mut program = holder(sandbox.pidfile()).steps(&steps).start();
        program.expect_held(&sandbox.pidfile());
        program.expect("ready");
        program.signal(signal);
        program.tell();
        assert_eq!(program.expect("handled "), (signal as i32).to_string());
        program.expect("alive");
        assert!(is_locked(&sandbox.pidfile()));
        // A return from `main` cleans up, as always.
        program.tell();
        program.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn after_sigkill_the_next_start_works() {
    let sandbox = Sandbox::new();
    let mut program = holding(&sandbox, "", "workers=2");
    program.signal(SIGKILL);
    program.expect_death_by(SIGKILL);
    sandbox.assert_next_start_works();
}

#[test]
fn after_a_reset_of_all_dispositions_the_next_acquire_cleans_up_again() {
    for before in [
        "acquire release",
        "acquire",
        "acquire forget",
        "try release",
    ] {
        for signal in FOUR {
            let sandbox = Sandbox::new();
            let script = holder(sandbox.path("first.pid")).steps(before);
            let script = script.steps("reset-signals").set("path", sandbox.pidfile());
            let mut program = script.steps("acquire say=ready wait").start();
            while program.line().unwrap() != "ready" {}
            assert_eq!(disposition(&program, signal), Disposition::Handled);
            program.signal(signal);
            program.expect_death_by(signal);
            sandbox.assert_names([]);
        }
    }
}

#[test]
fn after_a_reset_of_all_dispositions_an_adoption_cleans_up() {
    let starts = [
        "reserve reset-signals adopt",
        "acquire hand-over reset-signals adopt",
        "acquire release reserve reset-signals adopt",
    ];
    for start in starts {
        for signal in FOUR {
            let sandbox = Sandbox::new();
            let script = holder(sandbox.pidfile()).steps(start);
            let mut program = script.steps("say=ready wait").start();
            while program.line().unwrap() != "ready" {}
            program.signal(signal);
            program.expect_death_by(signal);
            sandbox.assert_names([]);
        }
    }
}

#[test]
fn after_a_reset_what_the_program_ignores_or_handles_is_its_own() {
    for signal in FOUR {
        let sandbox = Sandbox::new();
        let steps = format!("acquire release reset-signals ignore={signal} acquire say=ready wait");
        let mut program = holder(sandbox.pidfile()).steps(&steps).start();
        while program.line().unwrap() != "ready" {}
        assert_eq!(disposition(&program, signal), Disposition::Ignored);
        let other = if signal == SIGTERM { SIGINT } else { SIGTERM };
        program.signal(other);
        program.expect_death_by(other);
        sandbox.assert_names([]);
    }
}
