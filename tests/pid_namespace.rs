//! Process 1, as in a container. A signal with its default action has no effect there, so the library
//! must end the process itself.

use std::fs;

use nix::libc;
use nix::sys::signal::Signal::{self, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::support::{
    Program, Sandbox, Script, Snapshot, UNSHARE, WITHOUT_WIPING, can_unshare, eventually, holder,
    is_locked, two_copies,
};

/// A program that is process 1 in a namespace of its own, and its number outside.
pub(crate) struct First {
    /// `unshare`, which ends as process 1 ends.
    pub(crate) outside: Program,
    pid: Pid,
}

impl First {
    fn start(sandbox: &Sandbox, steps: &str) -> Option<First> {
        First::of(holder(sandbox.pidfile()).steps(steps))
    }

    pub(crate) fn of(script: Script) -> Option<First> {
        if !can_unshare(&UNSHARE[1..]) {
            return None;
        }
        let outside = script.under(&UNSHARE).start();
        let children = format!("/proc/{0}/task/{0}/children", outside.pid());
        let mut pid = None;
        eventually("process 1", || {
            let text = fs::read_to_string(&children).unwrap_or_default();
            pid = text.trim().parse().ok();
            pid.is_some()
        });
        Some(First {
            outside,
            pid: Pid::from_raw(pid.expect("there is one")),
        })
    }

    fn expect_held(&mut self, sandbox: &Sandbox) {
        let line = self.outside.expect("held ");
        assert_eq!(line, format!("1 {}", sandbox.pidfile().display()));
        assert_eq!(fs::read_to_string(sandbox.pidfile()).unwrap(), "1\n");
        assert!(is_locked(&sandbox.pidfile()));
    }

    fn signal(&self, signal: Signal) {
        kill(self.pid, signal).expect("it is there");
    }
}

impl Drop for First {
    fn drop(&mut self) {
        // Fails if it has ended.
        let _ = kill(self.pid, Signal::SIGKILL);
    }
}

#[test]
fn as_process_1_each_of_the_four_removes_the_file_and_ends_with_128_and_its_number() {
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let sandbox = Sandbox::new();
        let Some(mut first) = First::start(&sandbox, "acquire wait") else {
            return;
        };
        first.expect_held(&sandbox);
        first.signal(signal);
        first.outside.expect_exit(128 + signal as i32);
        sandbox.assert_names([]);
    }
}

#[test]
fn as_process_1_a_signal_ends_eight_threads_that_acquire_and_release() {
    for _ in 0..5 {
        let sandbox = Sandbox::new();
        let Some(mut first) = First::start(&sandbox, "acquire workers=8 say=ready wait") else {
            return;
        };
        first.expect_held(&sandbox);
        first.outside.expect("ready");
        first.signal(SIGTERM);
        first.outside.expect_exit(128 + SIGTERM as i32);
        sandbox.assert_names([]);
    }
}

#[test]
fn as_process_1_holding_nothing_term_has_no_effect_and_later_it_has() {
    let sandbox = Sandbox::new();
    let steps = "acquire release say=free wait say=alive wait say=still wait acquire wait";
    let Some(mut first) = First::start(&sandbox, steps) else {
        return;
    };
    first.outside.expect("held ");
    first.outside.expect("released");
    first.outside.expect("free");
    for word in ["alive", "still"] {
        // It is delivered before the line that follows it can be read.
        first.signal(SIGTERM);
        first.outside.tell();
        first.outside.expect(word);
    }
    first.outside.tell();
    first.expect_held(&sandbox);
    first.signal(SIGTERM);
    first.outside.expect_exit(128 + SIGTERM as i32);
    sandbox.assert_names([]);
}

/// The system calls that `poll` may be. Newer machines have only one of them.
#[cfg(not(target_arch = "aarch64"))]
const POLLS: &[libc::c_long] = &[libc::SYS_poll, libc::SYS_ppoll];
#[cfg(target_arch = "aarch64")]
const POLLS: &[libc::c_long] = &[libc::SYS_ppoll];

#[test]
fn as_process_1_holding_nothing_term_interrupts_no_system_call() {
    let sandbox = Sandbox::new();
    term_interrupts_no_system_call_after(&sandbox, "acquire release", &["held ", "released"]);
}

#[test]
fn as_process_1_with_only_a_reservation_term_interrupts_no_system_call() {
    let sandbox = Sandbox::new();
    term_interrupts_no_system_call_after(&sandbox, "acquire hand-over", &["held "]);
}

#[test]
fn as_process_1_after_a_refusal_term_interrupts_no_system_call() {
    let sandbox = Sandbox::new();
    sandbox.file("it.pid", "a letter\n");
    term_interrupts_no_system_call_after(&sandbox, "try", &["refused\tNotPidfile"]);
}

fn term_interrupts_no_system_call_after(sandbox: &Sandbox, steps: &str, answers: &[&str]) {
    let Some(mut first) = First::start(sandbox, &format!("{steps} say=free poll")) else {
        return;
    };
    for answer in answers {
        first.outside.expect(answer);
    }
    first.outside.expect("free");
    eventually("it sleeps in `poll`", || {
        let call = fs::read_to_string(format!("/proc/{}/syscall", first.pid)).unwrap_or_default();
        let number = call.split(' ').next().and_then(|word| word.parse().ok());
        number.is_some_and(|number| POLLS.contains(&number))
    });
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        first.signal(signal);
        // Delivered before the input comes, or `poll` would have an answer all the same.
        eventually("the delivery of the signal", || {
            let status = fs::read_to_string(format!("/proc/{}/status", first.pid));
            status.map_or(true, |status| status.contains("ShdPnd:\t0000000000000000"))
        });
        first.outside.expect_silence();
    }
    first.outside.tell();
    first.outside.expect("poll ready");
    first.outside.expect_exit(0);
}

#[test]
fn as_process_1_every_other_end_keeps_its_status() {
    let sandbox = Sandbox::new();
    for (steps, status) in [
        ("acquire wait", 0),
        ("acquire wait exit=7", 7),
        ("acquire forget wait", 0),
    ] {
        let Some(mut first) = First::start(&sandbox, steps) else {
            return;
        };
        first.expect_held(&sandbox);
        first.outside.tell();
        first.outside.expect_exit(status);
        sandbox.assert_names([]);
    }
}

#[test]
fn as_process_1_a_file_of_process_1_is_taken_over_with_a_new_inode() {
    let sandbox = Sandbox::new();
    // Twice: a container that was killed starts again with the same number.
    let path = sandbox.file("it.pid", "1\n");
    for _ in 0..2 {
        let _stale = fs::File::open(&path).unwrap();
        let before = Snapshot::of(&path);
        let Some(mut first) = First::start(&sandbox, "acquire wait") else {
            return;
        };
        first.expect_held(&sandbox);
        assert_ne!(Snapshot::of(&path).inode, before.inode);
        first.signal(Signal::SIGKILL);
        first.outside.wait();
        sandbox.assert_names(["it.pid"]);
    }
    sandbox.assert_next_start_works();
}

#[test]
fn two_signals_at_once_to_process_1_with_threads_leave_nothing() {
    for _ in 0..20 {
        let sandbox = Sandbox::new();
        let Some(mut first) = First::start(&sandbox, "workers=6 say=ready park") else {
            return;
        };
        first.outside.expect("ready");
        // A signal that arrives while nothing is held has no effect, as in any process 1.
        eventually("the end", || {
            for signal in [SIGTERM, SIGINT] {
                // Fails when the other one has ended it.
                let _ = kill(first.pid, signal);
            }
            !first.outside.is_running()
        });
        let status = first.outside.wait();
        let code = status.code();
        assert!(matches!(code, Some(130 | 143)), "{status:?}");
        sandbox.assert_names([]);
    }
}

/// Acquires with one copy of the crate, and then acquires and releases with the other one.
const TWO_COPIES: &str = r#"
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let held = pidfile::PidFile::acquire(&path).unwrap();
    other::PidFile::acquire(path + ".other").unwrap().release().unwrap();
    println!("held {} {}", held.pid(), held.path().display());
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
"#;

#[test]
fn as_process_1_one_copy_that_holds_nothing_leaves_the_signals_to_the_other() {
    let Some(program) = two_copies("two-copies", &[("src/main.rs", TWO_COPIES)]) else {
        return;
    };
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let sandbox = Sandbox::new();
        let script = Script::of(&program).argument(sandbox.pidfile());
        let Some(mut first) = First::of(script) else {
            return;
        };
        first.expect_held(&sandbox);
        first.signal(signal);
        first.outside.expect_exit(128 + signal as i32);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_child_that_is_process_1_as_its_parent_is_leaves_the_file() {
    for under in [&["env"], WITHOUT_WIPING] {
        let sandbox = Sandbox::new();
        let steps = "acquire own-pid-namespace fork=exit:0 reap verify wait";
        let script = holder(sandbox.pidfile()).steps(steps);
        let Some(mut first) = First::of(script.under(under)) else {
            return;
        };
        first.expect_held(&sandbox);
        first.outside.expect("child exited 0");
        first.outside.expect("verify Ok(())");
        first.outside.tell();
        first.outside.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_holder_with_the_same_number_in_another_namespace_is_not_named() {
    let sandbox = Sandbox::new();
    let Some(mut first) = First::start(&sandbox, "acquire wait") else {
        return;
    };
    first.expect_held(&sandbox);
    let second = holder(sandbox.pidfile()).steps("acquire").under(&UNSHARE);
    second.refusal().expect("Locked", 75).expect_pid(None);
}
