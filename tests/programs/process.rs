//! Steps that need more than one thread or process: workers beside the main
//! thread, forked children, spawned programs.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::Barrier;
use std::thread;

use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, fork};
use pidfile::Options;

use crate::{Holder, number, surroundings};

/// Whether `name` was a step of this file.
#[allow(
    clippy::zombie_processes,
    reason = "the spawned program is to outlive this one"
)]
pub(crate) fn obey(name: &str, value: &OsStr, holder: &mut Holder) -> bool {
    match name {
        "workers" => workers(number(value), |worker| beside(holder, worker)),
        "rivals" => workers(number(value), |_| holder.path().into()),
        "churn" => churn(holder),
        "rounds" => rounds(number(value), holder),
        "spawners" => spawners(number(value)),
        "raise" => raise(number(value)).expect("raise"),
        "raise-on-two-threads" => raise_on_two_threads(value),
        "exit-and-raise" => exit_and_raise(value),
        "exit-on-a-thread" => {
            let status = number(value);
            thread::spawn(move || exit(status));
            park();
        }
        "drop-on-a-thread" => {
            let guard = holder.newest();
            thread::spawn(move || drop(guard))
                .join()
                .expect("the drop does not panic");
        }
        "spawn" => {
            // It inherits our standard input, so it ends when the test does.
            let child = Command::new("cat").spawn().expect("spawn");
            println!("spawned {}", child.id());
        }
        "fork" => fork_to(value, holder),
        #[cfg(target_os = "linux")]
        "vfork-and-raise" => vfork_and_raise(number(value)),
        "probe" => probe(holder),
        "park" => park(),
        "reap" => match wait().expect("there is a child") {
            WaitStatus::Exited(_, status) => println!("child exited {status}"),
            WaitStatus::Signaled(_, signal, _) => println!("child killed by {signal}"),
            other => panic!("{other:?}"),
        },
        _ => return false,
    }
    true
}

/// Starts threads that acquire and release a file each, for ever, and returns once every one of
/// them has been through it.
fn workers(count: usize, path: impl Fn(usize) -> OsString) {
    let begun: &Barrier = Box::leak(Box::new(Barrier::new(count + 1)));
    for worker in 0..count {
        let options = Options::new().path(path(worker));
        thread::spawn(move || {
            work(&options);
            begun.wait();
            loop {
                work(&options);
            }
        });
    }
    begun.wait();
}

/// The file of one worker, in the directory of the file that the holder works with.
fn beside(holder: &Holder, worker: usize) -> OsString {
    let mut path = holder.path().into_os_string();
    path.push(format!(".{worker}"));
    path
}

fn work(options: &Options) {
    match options.acquire() {
        Ok(guard) => drop(guard),
        // Another thread of this process, or another process.
        Err(error) if error.is_running() => {}
        // As a program would, and with a status that no test of an end takes for its own. While
        // the process ends on another thread nobody may get here: it would hide that end.
        Err(error) => {
            eprintln!("worker: {error:?}");
            exit(99);
        }
    }
}

/// Acquires and releases on the main thread, until the process is ended.
fn churn(holder: &Holder) {
    let options = Options::new().path(holder.path());
    work(&options);
    println!("ready");
    loop {
        work(&options);
    }
}

/// Acquires and releases so often, and is never refused.
fn rounds(count: usize, holder: &Holder) {
    let options = Options::new().path(holder.path());
    for round in 0..count {
        let guard = options
            .acquire()
            .unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        guard
            .release()
            .unwrap_or_else(|error| panic!("round {round}: {error:?}"));
    }
    println!("done");
}

/// Starts threads that start programs, for ever, and returns once each has started one. Between a
/// fork and an exec there is a copy of every descriptor, and of every lock.
#[allow(unsafe_code, reason = "pre_exec, to make std fork")]
fn spawners(count: usize) {
    let begun: &Barrier = Box::leak(Box::new(Barrier::new(count + 1)));
    let spawn = |shares_memory: bool| {
        let mut command = Command::new("true");
        if !shares_memory {
            // Else std shares our memory with the child until it has become the program, which
            // is quicker.
            // SAFETY: the closure does nothing.
            unsafe { command.pre_exec(|| Ok(())) };
        }
        assert!(command.status().expect("spawn").success());
    };
    for spawner in 0..count {
        thread::spawn(move || {
            spawn(spawner % 2 == 0);
            begun.wait();
            loop {
                spawn(spawner % 2 == 0);
            }
        });
    }
    begun.wait();
}

/// `STATUS,SIGNAL`: an exit on one thread and a signal on another, at once.
fn exit_and_raise(value: &OsStr) {
    let (status, signal) = value
        .to_str()
        .and_then(|text| text.split_once(','))
        .expect("two");
    let status = status.parse().expect("a status");
    let signal: Signal = signal.parse().expect("a signal");
    let barrier: &Barrier = Box::leak(Box::new(Barrier::new(2)));
    thread::spawn(move || {
        barrier.wait();
        raise(signal).expect("raise");
        park();
    });
    barrier.wait();
    exit(status);
}

fn raise_on_two_threads(signals: &OsStr) {
    let barrier: &Barrier = Box::leak(Box::new(Barrier::new(2)));
    for signal in signals.to_str().expect("two names").split(',') {
        let signal: Signal = signal.parse().expect("a signal");
        thread::spawn(move || {
            barrier.wait();
            raise(signal).expect("raise");
            park();
        });
    }
    park();
}

/// `fork=step,step`: the child takes the steps and then leaves by `_exit`, the
/// parent goes on at once.
#[allow(unsafe_code, reason = "fork")]
fn fork_to(steps: &OsStr, holder: &mut Holder) {
    // SAFETY: this process has one thread when a test asks for a fork, so the
    // child may go on as if nothing had happened.
    if let ForkResult::Child = unsafe { fork() }.expect("fork") {
        surroundings::end_with_the_test();
        for step in steps.to_str().expect("steps").split(',') {
            holder
                .obey(step.replace(':', "=").as_ref())
                .expect("no step of a child fails");
        }
        crate::fault::leave(0);
    }
}

/// Starts a child that shares this process's memory until it dies by the signal, as a `vfork` does
/// until its `exec`.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "clone")]
fn vfork_and_raise(signal: Signal) {
    use nix::sched::{CloneFlags, clone};

    let mut stack = vec![0; 1 << 18];
    let die = Box::new(|| {
        raise(signal).expect("raise");
        0
    });
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: this thread sleeps until the child is gone, so the two are never in the memory that
    // they share at once, and the stack outlives the child.
    unsafe { clone(die, &mut stack, flags, Some(Signal::SIGCHLD as i32)) }.expect("clone");
}

/// Asks for the status, for ever.
fn probe(holder: &Holder) {
    let options = Options::new().path(holder.path());
    println!("probing");
    loop {
        if let Err(error) = options.status() {
            panic!("a probe failed: {error:?}");
        }
    }
}

/// Sleeps until the process ends.
fn park() -> ! {
    loop {
        thread::park();
    }
}
