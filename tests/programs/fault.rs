//! Steps that only raw calls can take: leaving without any clean-up, and
//! setting what a signal does before the library looks.

use std::ffi::OsStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::libc::{self, c_int};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};

use crate::number;

/// The last signal that the program's own handler saw.
static HANDLED: AtomicI32 = AtomicI32::new(0);

/// The file that the program's own exit handler looks for.
static AT_EXIT: OnceLock<std::path::PathBuf> = OnceLock::new();

/// Whether `name` was a step of this file.
pub(crate) fn obey(name: &str, value: &OsStr) -> bool {
    match name {
        "_exit" => leave(number(value)),
        "ignore" => dispose(value, SigHandler::SigIgn),
        "handle" => dispose(value, SigHandler::Handler(remember)),
        "clean-up-and-leave-on" => dispose(value, SigHandler::Handler(clean_up_and_leave)),
        "handled" => println!("handled {}", HANDLED.swap(0, Ordering::SeqCst)),
        "look-at-exit" => look_at_exit(value),
        _ => return false,
    }
    true
}

/// Ends the process with nothing run on the way.
#[allow(unsafe_code, reason = "_exit")]
pub(crate) fn leave(status: c_int) -> ! {
    // SAFETY: `_exit` takes any number and touches no memory.
    unsafe { libc::_exit(status) }
}

extern "C" fn remember(signal: c_int) {
    HANDLED.store(signal, Ordering::SeqCst);
}

/// A handler of a program that ends in it.
extern "C" fn clean_up_and_leave(_: c_int) {
    pidfile::cleanup();
    leave(9);
}

#[allow(unsafe_code, reason = "sigaction")]
fn dispose(signal: &OsStr, handler: SigHandler) {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: one handler stores a number, and the other calls what may be called in a handler.
    unsafe { sigaction(number(signal), &action) }.expect("sigaction");
}

/// Registers an exit handler that says whether the file is there when it runs.
#[allow(unsafe_code, reason = "atexit")]
fn look_at_exit(path: &OsStr) {
    extern "C" fn look() {
        let there = AT_EXIT.get().is_some_and(|path| path.exists());
        println!("at exit {}", if there { "there" } else { "gone" });
    }
    AT_EXIT.set(path.into()).expect("one path");
    // SAFETY: the handler is a plain function that does not unwind.
    assert_eq!(unsafe { libc::atexit(look) }, 0);
}
