//! Steps that set what a signal does, as a program may before or after it acquires.

use std::ffi::OsStr;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::libc::c_int;
use nix::sys::signal::Signal::{self, SIGKILL, SIGSTOP};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};

use crate::argument::number;
use crate::ends::leave;

/// The last signal that the program's own handler saw.
static HANDLED: AtomicI32 = AtomicI32::new(0);

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr) -> bool {
    match name {
        "ignore" => dispose(value, SigHandler::SigIgn),
        "handle" => dispose(value, SigHandler::Handler(remember)),
        "clean-up-and-leave-on" => dispose(value, SigHandler::Handler(clean_up_and_leave)),
        "reset-signals" => {
            // The two that cannot be changed have no other action.
            let others = Signal::iterator().filter(|s| !matches!(s, SIGKILL | SIGSTOP));
            others.for_each(|signal| set(signal, SigHandler::SigDfl));
        }
        "block-signals" => SigSet::all().thread_block().expect("a mask"),
        "handled" => println!("handled {}", HANDLED.swap(0, Ordering::SeqCst)),
        _ => return false,
    }
    true
}

extern "C" fn remember(signal: c_int) {
    HANDLED.store(signal, Ordering::SeqCst);
}

/// The handler of a program that ends in it.
extern "C" fn clean_up_and_leave(_: c_int) {
    pidfile::cleanup();
    leave(9);
}

fn dispose(signal: &OsStr, handler: SigHandler) {
    set(number(signal), handler);
}

#[allow(unsafe_code, reason = "sigaction")]
fn set(signal: Signal, handler: SigHandler) {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    // SAFETY: one handler stores a number, and the other calls what may be called in a handler.
    unsafe { sigaction(signal, &action) }.expect("sigaction");
}
