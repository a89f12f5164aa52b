//! The process is told to end: scrub, then pass the signal on.
//!
//! The parent must see a death by that very signal, so the handler ends by
//! raising it with the default disposition. It does not allocate, lock, format
//! or panic, and it keeps `errno`.
//!
//! We are guests here. Only a signal with the default disposition gets our
//! handler; if a handler of the program runs and chains to ours, that program
//! shuts down by itself and its file goes at the exit. The handler is never
//! uninstalled: whoever came later may have kept its address.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use nix::errno::Errno;
use nix::libc;

use super::ending;
use super::scrub::{End, end};
use crate::sys;

const SIGNALS: [libc::c_int; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

/// A fork inherits the handlers and this with them.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Takes the signals that have their default disposition now.
///
/// Two threads may be here at once, and both do it all: a lock would hang the child of a fork
/// that happens meanwhile, and a thread that went ahead would publish before the handlers stand.
pub(super) fn install() {
    if INSTALLED.load(SeqCst) {
        return;
    }
    for signal in SIGNALS {
        if sys::disposition(signal) == Some(libc::SIG_DFL) {
            sys::install(signal, on_signal);
        }
    }
    INSTALLED.store(true, SeqCst);
}

extern "C" fn on_signal(signal: libc::c_int) {
    let errno = Errno::last_raw();
    if sys::disposition(signal) == Some(on_signal as *const () as libc::sighandler_t) {
        let held = end(End::Signal);
        if sys::pid() != 1 {
            sys::die_by(signal);
        } else if held == Some(true) {
            // The kernel spares pid 1, for which the default disposition has no effect. So this is
            // as near as it can come to a death by the signal.
            sys::exit_now(128 + signal);
        }
        // Still here: as pid 1 that held nothing, the signal has no effect, as without us.
        if held.is_some() {
            ending::give_up();
        }
    }
    // Else somebody who came later has chained to us, and owns the shutdown.
    Errno::set_raw(errno);
}
