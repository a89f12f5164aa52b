//! A signal ends the process: clean up, then pass the signal on.
//!
//! The parent must see a death by that very signal, so the handler ends by
//! raising it with the default disposition. It does not allocate, lock, format
//! or panic, and it preserves `errno`.
//!
//! This handler is a guest in the program, and is installed only for a signal
//! with the default disposition. If a handler of the program chains to ours,
//! the program shuts down by itself, and its file is removed at the exit.
//! Dispositions are checked at every acquire, because daemons reset them. The
//! handler stays installed as long as it may be needed. Its code must stay
//! loaded even longer, because a later handler may have kept its address.
//!
//! Another copy of this crate, in another version or in a plugin, has the same
//! needs. The second copy takes the signal over, and passes it on to the first
//! after its own cleanup.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use nix::errno::Errno;
use nix::libc::{self, c_int};

use super::identity::Process;
use super::scrub::{End, end};
use super::{ending, identity, table};
use crate::sys::{self, BlockedSignals, Chained, Disposition, LeakedList};

const SIGNALS: [c_int; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

/// The actions of the copy that came before us, in the order of [`SIGNALS`]. The oldest entry counts:
/// a third copy finds the second, never the first, and two copies may take turns.
///
/// Not a `OnceLock`: the child of a fork in the middle of its initialisation would wait forever.
static CHAINED: [LeakedList<Chained>; 4] = [const { LeakedList::new() }; 4];

fn chained(signal: c_int) -> Option<&'static Chained> {
    let index = SIGNALS.iter().position(|known| *known == signal)?;
    CHAINED.get(index)?.iter().last()
}

/// The thread that is passing a signal on. Without it, two copies that installed their handlers in
/// turns would pass the signal to each other endlessly.
static PASSING: AtomicUsize = AtomicUsize::new(0);

/// Installs the handler for the signals that have their default disposition now.
///
/// The caller has its entry in the table as PUBLISHING, and signals blocked. So the handler on
/// another thread waits until the action of the copy before us is stored. Two threads may be here
/// at once, and each does all of it. A lock would hang the child of a fork that happens meanwhile,
/// and a thread that did not wait would publish before the handlers are installed.
pub(super) fn install() {
    // Otherwise the handlers that are found here may be gone by the time the file is published.
    ending::wait_for(Process::this().leavers());
    for (signal, chained) in SIGNALS.into_iter().zip(&CHAINED) {
        match sys::disposition(signal, on_signal) {
            Some(Disposition::Default | Disposition::Sibling) => {
                if let Some(previous) = sys::install(signal, on_signal) {
                    if chained.iter().next().is_none() {
                        chained.push(previous);
                    }
                }
            }
            Some(Disposition::Ours | Disposition::Foreign) | None => {}
        }
    }
}

/// Removes the handlers from process 1 once it holds nothing. A signal that process 1 does not
/// handle has no effect on it and does not even interrupt its sleep; this restores that state. The
/// copy before us may still hold a file, and gets its handler back.
pub(super) fn stand_back() {
    let (process, me) = identity::enrolled();
    if process.pid().load(SeqCst) != 1 || table::wants_signals(me) {
        return;
    }
    // A handler on this thread may never return.
    let _blocked = BlockedSignals::new();
    // This thread announces itself and then reads the slots; a publisher enters its file and then
    // checks for such threads. So at least one of the two sees the other.
    process.leavers().fetch_add(1, SeqCst);
    if !table::wants_signals(me) {
        for signal in SIGNALS {
            sys::reset(signal, on_signal, chained(signal));
        }
    }
    process.leavers().fetch_sub(1, SeqCst);
}

extern "C" fn on_signal(signal: c_int) {
    let errno = Errno::last_raw();
    if sys::disposition(signal, on_signal) == Some(Disposition::Ours) {
        let _blocked = BlockedSignals::new();
        let member = identity::member();
        let held = end(End::Signal);
        pass_on(signal);
        if sys::pid() != 1 {
            sys::die_by(signal);
        }
        if held == Some(true) {
            // In process 1 the default disposition has no effect. This status is as close as it can
            // get to a death by the signal.
            sys::exit_now(128 + signal);
        }
        // Still running: process 1 holds nothing, so the signal has no effect, just as it would
        // have none without this crate.
        if let (Some((process, _)), Some(_)) = (member, held) {
            ending::give_up(process);
        }
    } else if sys::is_called_by_kernel() {
        // Another handler has replaced this one since the kernel called it, and would never learn of
        // the signal. If it chains to this one, the mask shows that it has been called.
        let _blocked = BlockedSignals::new();
        sys::raise(signal);
    }
    // Otherwise a handler of the program has chained to this one, and the program owns the
    // shutdown.
    Errno::set_raw(errno);
}

/// Passes the signal to the copy that came before us, unless that copy just passed it to us.
fn pass_on(signal: c_int) {
    // The mark that follows would stay in the parent's memory if the signal ends the child of a
    // `vfork`, which has nothing to clean up in any copy.
    if identity::is_guest() {
        return;
    }
    let Some(chained) = chained(signal) else {
        return;
    };
    let me = sys::thread();
    if PASSING.swap(me, SeqCst) != me {
        sys::pass_on(signal, chained);
        PASSING.store(0, SeqCst);
    }
}
