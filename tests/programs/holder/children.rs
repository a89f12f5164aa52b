//! Steps that start other processes: forked children, and programs.

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, exit};

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, fork};

#[cfg(target_os = "linux")]
use crate::argument::number;
use crate::state::State;
use crate::{ends, surroundings, take as take_step};

/// Whether `name` was a step of this file.
#[allow(
    clippy::zombie_processes,
    reason = "the spawned program outlives this one"
)]
pub(crate) fn take(name: &str, value: &OsStr, state: &mut State) -> bool {
    match name {
        "fork" => fork_to(value, state),
        #[cfg(target_os = "linux")]
        "clone-pid-namespace" => clone_to(value, state),
        #[cfg(target_os = "linux")]
        "vfork-and-raise" => vfork_and_raise(number(value)),
        "spawn" => {
            // It inherits the standard input, so it ends when the test does.
            let child = Command::new("cat").spawn().expect("spawn");
            println!("spawned {}", child.id());
        }
        "reap" => match wait().expect("there is a child") {
            WaitStatus::Exited(_, status) => println!("child exited {status}"),
            WaitStatus::Signaled(_, signal, _) => println!("child killed by {signal}"),
            other => panic!("{other:?}"),
        },
        _ => return false,
    }
    true
}

/// `STEP,STEP:VALUE`: the child takes the steps and leaves by `_exit`; the parent goes on at once.
#[allow(unsafe_code, reason = "fork")]
fn fork_to(steps: &OsStr, state: &mut State) {
    // SAFETY: this process has one thread when a test asks for a fork, so the
    // child may go on as if nothing had happened.
    if let ForkResult::Child = unsafe { fork() }.expect("fork") {
        be_child(steps, state);
    }
}

/// The same in a new pid namespace, by a `clone` of the program's own, of which the C library and
/// its fork hooks know nothing.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "clone")]
fn clone_to(steps: &OsStr, state: &mut State) {
    use nix::sched::{CloneFlags, clone};

    let mut stack = vec![0; 1 << 20];
    // A panic cannot leave the function that `clone` calls, so it ends here as it would in `main`.
    let child = Box::new(|| {
        let take_steps = AssertUnwindSafe(|| be_child(steps, &mut *state));
        match catch_unwind(take_steps) {
            Ok(never) => never,
            Err(_) => exit(101),
        }
    });
    // SAFETY: this process has one thread, and the child has a copy of its memory.
    unsafe {
        clone(
            child,
            &mut stack,
            CloneFlags::CLONE_NEWPID,
            Some(Signal::SIGCHLD as i32),
        )
    }
    .expect("clone");
}

fn be_child(steps: &OsStr, state: &mut State) -> ! {
    surroundings::end_with_the_test();
    for step in steps.to_str().expect("steps").split(',') {
        take_step(step.replace(':', "=").as_ref(), state).expect("no step of a child fails");
    }
    ends::leave(0)
}

/// Starts a child that shares this process's memory until it dies by the signal, as a `vfork` does
/// until its `exec`.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "clone")]
fn vfork_and_raise(signal: Signal) {
    use nix::sched::{CloneFlags, clone};
    use nix::sys::signal::kill;
    use nix::unistd::getpid;

    let mut stack = vec![0; 1 << 18];
    let die = Box::new(|| {
        // Not `raise`, with which some C libraries signal the parent here.
        kill(getpid(), signal).expect("kill");
        0
    });
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: this thread sleeps until the child is gone, so the two are never in the memory that
    // they share at once, and the stack outlives the child.
    unsafe { clone(die, &mut stack, flags, Some(Signal::SIGCHLD as i32)) }.expect("clone");
}
