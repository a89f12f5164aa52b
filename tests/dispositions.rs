//! The library changes what a signal does, and something happens in the middle of it: another thread
//! acquires a file, the program installs a handler, or the signal comes.

use std::path::PathBuf;
use std::sync::LazyLock;

use nix::sys::signal::Signal::SIGTERM;

use crate::pid_namespace::First;
use crate::support::{Sandbox, Script, two_copies};

/// The program `between` with one of its cases.
fn between(case: &str, sandbox: &Sandbox) -> Script {
    let script = Script::of(env!("CARGO_BIN_EXE_between"));
    script.argument(case).argument(sandbox.pidfile())
}

#[test]
fn as_process_1_no_file_is_held_while_a_release_removes_the_handlers() {
    let sandbox = Sandbox::new();
    let Some(mut first) = First::of(between("release-and-acquire", &sandbox)) else {
        return;
    };
    first.outside.tell();
    first.outside.expect_exit(128 + SIGTERM as i32);
    sandbox.assert_names([]);
}

#[test]
fn a_handler_that_comes_in_the_middle_of_an_acquire_stays() {
    let sandbox = Sandbox::new();
    let mut program = between("handler-at-acquire", &sandbox).start();
    program.tell();
    program.expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn as_process_1_a_handler_that_comes_in_the_middle_of_a_release_stays() {
    let sandbox = Sandbox::new();
    let Some(mut first) = First::of(between("handler-at-release", &sandbox)) else {
        return;
    };
    first.outside.tell();
    first.outside.expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn a_handler_that_comes_while_ours_begins_gets_the_signal() {
    let sandbox = Sandbox::new();
    let mut program = between("handler-at-signal", &sandbox).start();
    program.tell();
    program.expect_exit(0);
    sandbox.assert_names([]);
}

/// `siblings CASE PATH`: one copy holds a file, and then the other copy does.
const SIBLINGS: &str = r#"
mod visitor;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use nix::sched::{CloneFlags, clone};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{getpid, pause};
use visitor::{Moment, visit};

fn send_term() {
    kill(getpid(), Signal::SIGTERM).unwrap();
}

fn main() {
    let [case, path] = [1, 2].map(|index| std::env::args().nth(index).unwrap());
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let _first = pidfile::PidFile::acquire(&path).unwrap();
    let second = other::PidFile::options().path(format!("{path}.other"));
    match &*case {
        "adopt" => {
            let reserved = second.reserve().unwrap();
            visit(|moment| {
                if moment == Moment::Handled {
                    send_term();
                }
            });
            let _held = reserved.adopt().unwrap();
        }
        "adopt-on-a-thread" => {
            let reserved = second.reserve().unwrap();
            let (mut tell, mut told) = UnixStream::pair().unwrap();
            visit(move |moment| {
                if moment == Moment::Naps {
                    tell.write_all(&[0]).unwrap();
                }
            });
            thread::spawn(move || {
                visit(move |moment| {
                    if moment == Moment::Handled {
                        send_term();
                        // Until the handler waits for this thread, or the process has ended.
                        told.read_exact(&mut [0]).unwrap();
                    }
                });
                std::mem::forget(reserved.adopt().unwrap());
            });
            loop {
                pause();
            }
        }
        "vfork" => {
            let _held = second.acquire().unwrap();
            let die = Box::new(|| {
                send_term();
                0
            });
            let mut stack = vec![0; 1 << 18];
            let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
            // SAFETY: this thread sleeps until the child is gone, and the stack outlives it.
            unsafe { clone(die, &mut stack, flags, Some(Signal::SIGCHLD as i32)) }.unwrap();
            assert!(matches!(wait(), Ok(WaitStatus::Signaled(_, Signal::SIGTERM, _))));
            send_term();
        }
        _ => panic!("{case}"),
    }
    panic!("it has survived");
}
"#;

/// The program, built once.
static PROGRAM: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let visitor = include_str!("programs/between/visitor.rs");
    two_copies(
        "siblings",
        &[("src/main.rs", SIBLINGS), ("src/visitor.rs", visitor)],
    )
});

/// That a signal ends a program of two copies, and that both clean up.
#[track_caller]
fn assert_both_clean_up(case: &str) {
    let Some(program) = &*PROGRAM else {
        return;
    };
    let sandbox = Sandbox::new();
    let script = Script::of(program).argument(case);
    let mut program = script.argument(sandbox.pidfile()).start();
    program.tell();
    program.expect_death_by(SIGTERM);
    sandbox.assert_names([]);
}

#[test]
fn a_signal_in_the_middle_of_an_adoption_reaches_both_copies() {
    assert_both_clean_up("adopt");
}

#[test]
fn a_signal_beside_an_adoption_reaches_both_copies() {
    assert_both_clean_up("adopt-on-a-thread");
}

#[test]
fn a_signal_to_a_vforked_child_leaves_the_next_one_to_both_copies() {
    assert_both_clean_up("vfork");
}
