//! The registry beside the pipeline: which files this process has to clean up,
//! however it ends.
//!
//! A publisher enters its file here *before* the name exists, and the release,
//! the exit hook and the signal handler find it here. The registry knows names,
//! owners and descriptors, but no options and no guards.
//!
//! # States
//!
//! ```text
//! VACANT -> FILLING -> PUBLISHING <-> ARMED <-> CLAIMED -> SPENT -> VACANT
//!                       |                        |   '--> SUPERSEDED -> VACANT
//!                       '--> VACANT              '--> VACANT
//! ```
//!
//! - VACANT -> FILLING: a publisher takes the slot, by compare-and-swap.
//! - FILLING -> PUBLISHING: owner, descriptors, inode and name are stored. From
//!   here to ARMED the publisher has all signals blocked, so that no handler
//!   on its own thread can meet the slot; an ending on another thread waits.
//! - PUBLISHING -> ARMED: the name exists and is ours. -> VACANT: the name was
//!   taken, or could not be made.
//! - ARMED -> PUBLISHING: a reservation is adopted; the handlers may be missing.
//! - ARMED -> CLAIMED: one of release, exit and signal wins the compare-and-swap
//!   and scrubs, with signals blocked; the losers wait for it.
//! - CLAIMED -> SUPERSEDED: the application closed the file's descriptor, and its
//!   number was given to another entry's file. The publisher of that one claims
//!   the slot; -> ARMED: it finds a newer file in it.
//! - CLAIMED -> VACANT: scrubbed by the release. -> SPENT: by an exit or a
//!   signal, while the guard may still refer to the slot.
//! - SPENT -> VACANT: the guard was dropped after all.
//!
//! No wait lasts longer than a second, because a thread that is stuck in a file
//! system must not keep the process from ending. A file that is left behind is
//! merely stale.
//!
//! # Ending
//!
//! An ending thread announces itself (`ending`) and then reads the slots; a
//! publisher writes PUBLISHING and then checks for an ending. Both are
//! `SeqCst`, so at least one sees the other: either the ending thread waits for
//! the name and removes it, or the publisher holds back.
//!
//! # Owners
//!
//! Every slot remembers the process that filled it (`identity`). A forked child
//! inherits the table and leaves its parent's files alone; it uses their slots
//! for its own. A `vfork` child, which shares the table with its parent, changes
//! nothing at all.

mod by_file;
mod ending;
mod entry;
mod exit;
mod identity;
mod scrub;
mod signal;
mod table;
#[cfg(test)]
mod tests;
mod vacancy;

use nix::errno::Errno;

use crate::sys::BlockedSignals;

pub(crate) use entry::{Armed, Publishing, arm, is_held};
pub(crate) use scrub::Outcome;
pub(crate) use table::{NAME_SIZE, Policy};

/// Enrols this process as an owner of entries, and returns its id.
///
/// Called well before the first entry is armed, so that a signal in between finds it enrolled.
pub(crate) fn enrol() -> u32 {
    exit::register();
    let (pid, is_new) = identity::enrol();
    if is_new {
        table::reuse_ancestors_slots();
    }
    pid
}

/// Removes every pidfile that this process holds. Call this before ending in a way that runs no
/// exit handlers: `_exit`, `abort`, or `emulate_default_handler` of the crate signal-hook.
///
/// Files acquired with `at_exit(false)` or `signals(false)` are removed too, but not a
/// [`Reservation`](crate::Reservation). The guards stay valid, and releasing them later does
/// nothing and succeeds. In a process that holds no pidfile, and in a forked child, this does
/// nothing.
///
/// This function is async-signal-safe (POSIX.1-2017, section 2.4.3), so a signal handler may call
/// it. If another thread is acquiring or releasing at that moment, it waits for at most one second.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> pidfile::Result<()> {
/// let _held = pidfile::PidFile::acquire("/run/thermod.pid")?;
/// // ... something is wrong beyond repair:
/// pidfile::cleanup();
/// std::process::abort();
/// # }
/// ```
pub fn cleanup() {
    let errno = Errno::last_raw();
    {
        let _blocked = BlockedSignals::new();
        // Ignored: the caller does not need to know whether there was anything to clean up.
        let _ = scrub::end(scrub::End::Call);
    }
    Errno::set_raw(errno);
}
