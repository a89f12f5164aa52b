//! Steps that end the program, alone or on several threads at once.

use std::error::Error;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{ExitCode, exit};
use std::sync::{Barrier, OnceLock};
use std::thread;

use nix::libc::{self, c_int};
use nix::sys::signal::{Signal, raise};
use pidfile::FromAcquireError;

use crate::argument::{halves, number};
use crate::state::State;
use crate::threads::park;

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr) -> bool {
    match name {
        "exit" => exit(number(value)),
        "_exit" => leave(number(value)),
        "exit-on-a-thread" => {
            let status = number(value);
            thread::spawn(move || exit(status));
            park();
        }
        "panic" => panic!("as the test wants it"),
        "abort" => std::process::abort(),
        "raise" => raise(number(value)).expect("raise"),
        "raise-on-two-threads" => raise_on_two_threads(value),
        "exit-and-raise" => exit_and_raise(value),
        "exists-at-exit" => exists_at_exit(value),
        _ => return false,
    }
    true
}

/// What a `?` in `main` does: returns an error while the guards are alive.
pub(crate) fn question(state: &mut State) -> Result<(), Box<dyn Error>> {
    let _guards = std::mem::take(&mut state.guards);
    Err("as the test wants it")?
}

/// Acquires as a function with that return type does, and is refused.
pub(crate) fn refused_as(kind: &OsStr, state: &State) {
    let error = state.options.acquire().expect_err("the test holds it");
    match kind.to_str() {
        Some("main") => <() as FromAcquireError>::from_acquire_error_in_main(error),
        Some("main-with-a-status") => {
            let status = ExitCode::from_acquire_error_in_main(error);
            println!("returned {status:?}");
        }
        Some("function") => <() as FromAcquireError>::from_acquire_error(error),
        _ => panic!("unknown kind of function: {}", kind.display()),
    }
}

/// Ends the process without running anything on the way.
#[allow(unsafe_code, reason = "_exit")]
pub(crate) fn leave(status: c_int) -> ! {
    // SAFETY: `_exit` takes any number and touches no memory.
    unsafe { libc::_exit(status) }
}

/// `TERM,TERM`: raises each on a thread of its own, at the same moment.
fn raise_on_two_threads(signals: &OsStr) {
    let (first, second) = halves(signals, b',');
    let barrier: &Barrier = Box::leak(Box::new(Barrier::new(2)));
    for signal in [first, second] {
        let signal = number(signal);
        thread::spawn(move || raise_with(barrier, signal));
    }
    park();
}

/// `N,TERM`: exits on this thread and raises on another, at the same moment.
fn exit_and_raise(value: &OsStr) {
    let (status, signal) = halves(value, b',');
    let (status, signal) = (number(status), number(signal));
    let barrier: &Barrier = Box::leak(Box::new(Barrier::new(2)));
    thread::spawn(move || raise_with(barrier, signal));
    barrier.wait();
    exit(status);
}

fn raise_with(barrier: &Barrier, signal: Signal) {
    barrier.wait();
    raise(signal).expect("raise");
    park();
}

/// Registers an exit handler that reports whether the file exists when it runs.
#[allow(unsafe_code, reason = "atexit")]
fn exists_at_exit(path: &OsStr) {
    static PATH: OnceLock<PathBuf> = OnceLock::new();

    extern "C" fn report() {
        let exists = PATH.get().is_some_and(|path| path.exists());
        println!("at exit {}", if exists { "there" } else { "gone" });
    }
    PATH.set(path.into()).expect("one path");
    // SAFETY: the handler is a plain function that does not unwind.
    assert_eq!(unsafe { libc::atexit(report) }, 0);
}
