//! The process is told to end: clean up, then pass the signal on.
//!
//! The parent must see a death by that very signal, so the handler ends by
//! raising it with the default disposition. It does not allocate, lock, format
//! or panic, and it keeps `errno`.
//!
//! We are guests here. Only a signal with the default disposition gets our
//! handler; if a handler of the program runs and chains to ours, that program
//! shuts down by itself and its file goes at the exit. Dispositions are asked
//! for at every acquire, since daemons reset them. The handler stays installed
//! as long as it may be needed, and its code forever: whoever came later may
//! have kept its address.
//!
//! Another copy of this crate, of another version or in a plugin, has the same
//! needs. The one that comes second takes the signal over, and passes it on to
//! the first after its own clean-up.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use nix::errno::Errno;
use nix::libc::{self, c_int};

use super::scrub::{End, end};
use super::{ending, identity, table};
use crate::sys::{self, BlockedSignals, Chained, Disposition};

const SIGNALS: [c_int; 4] = [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT];

/// The actions of the copy that came before us. Set before the handler can need them, once: a third
/// copy finds the second, never the first.
static CHAINED: [OnceLock<Chained>; 4] = [const { OnceLock::new() }; 4];

/// The thread that is passing a signal on. Two copies that have taken turns at installing their
/// handlers would pass it to each other without end.
static PASSING: AtomicUsize = AtomicUsize::new(0);

/// Takes the signals that have their default disposition now.
///
/// The caller has its entry in the table, with signals blocked. Two threads may be here at once, and
/// both do it all: a lock would hang the child of a fork that happens meanwhile, and a thread that
/// went ahead would publish before the handlers stand.
pub(super) fn install() {
    for (signal, chained) in SIGNALS.into_iter().zip(&CHAINED) {
        match sys::disposition(signal, on_signal) {
            Some(Disposition::Default | Disposition::Sibling) => {
                if let Some(previous) = sys::install(signal, on_signal) {
                    // Fails where the two copies have taken turns, which `on_signal` expects.
                    let _ = chained.set(previous);
                }
            }
            Some(Disposition::Ours | Disposition::Foreign) | None => {}
        }
    }
}

/// Process 1 is spared by every signal that it does not handle, and its sleeps are not interrupted.
/// When it holds nothing any more, that is what it gets back.
pub(super) fn stand_back() {
    let (process, me) = identity::enrolled();
    if process.pid().load(SeqCst) != 1 || table::wants_signals(me) {
        return;
    }
    for signal in SIGNALS {
        sys::reset(signal, on_signal);
    }
    // A publisher enters its file first and asks for the dispositions second, so that one of the
    // two sees the other.
    if table::wants_signals(me) {
        install();
    }
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
            // The kernel spares process 1, for which the default disposition has no effect. This
            // is as near as it can come to a death by the signal.
            sys::exit_now(128 + signal);
        }
        // Still here: process 1 holds nothing, and the signal has no effect, as it would without
        // this crate.
        if let (Some((process, _)), Some(_)) = (member, held) {
            ending::give_up(process);
        }
    }
    // Else a handler of the program has chained to us, and the program owns the shutdown.
    Errno::set_raw(errno);
}

/// Gives the signal to the copy that came before us, unless that one has just given it to us.
fn pass_on(signal: c_int) {
    let index = SIGNALS.iter().position(|known| *known == signal);
    let Some(chained) = index.and_then(|index| CHAINED[index].get()) else {
        return;
    };
    let me = sys::thread();
    if PASSING.swap(me, SeqCst) != me {
        sys::pass_on(signal, chained);
        PASSING.store(0, SeqCst);
    }
}
