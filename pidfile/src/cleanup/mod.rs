//! The registry beside the pipeline: which files this process has to clean up,
//! however it ends.
//!
//! Whoever publishes a file enters it here *before* its name exists, and the
//! release, the exit hook and the signal handler find it here. It knows names,
//! owners and descriptors, and nothing of options or guards.
//!
//! # States
//!
//! ```text
//! VACANT -> FILLING -> PUBLISHING -> ARMED -> CLAIMED -> SPENT -> VACANT
//!                       |              |       '--> VACANT
//!                       '--> VACANT    '--> SUPERSEDED -> VACANT
//! ```
//!
//! - VACANT -> FILLING: a publisher takes the slot, by compare-and-swap.
//! - FILLING -> PUBLISHING: owner, descriptors, inode and name are stored. From
//!   here to ARMED the publisher has all signals blocked, so that no handler
//!   on its own thread can meet the slot; an ending on another thread waits.
//! - PUBLISHING -> ARMED: the name exists and is ours. -> VACANT: it was taken, or
//!   could not be made.
//! - ARMED -> SUPERSEDED: the application has closed the file's descriptor, and another entry's
//!   file has got its number.
//! - ARMED -> CLAIMED: one of release, exit and signal wins the compare-and-swap
//!   and scrubs, with signals blocked; the losers wait for it.
//! - CLAIMED -> VACANT: scrubbed by the release. -> SPENT: by an exit or a signal,
//!   while the guard may still look at it.
//! - SPENT -> VACANT: the guard was dropped after all.
//!
//! No wait lasts longer than a second: a thread that is stuck in a file system
//! must not keep the process from ending. A file that is left behind is merely
//! stale.
//!
//! # Ending
//!
//! An ending thread says so (`ending`) and then reads the slots; a publisher writes
//! PUBLISHING and then asks. Both are `SeqCst`, so at least one sees the other:
//! either the ender waits for the name and removes it, or the publisher holds
//! back.
//!
//! # Owners
//!
//! Every slot remembers the process that filled it (`identity`). A forked child
//! inherits the table and leaves its parent's files alone; it uses their slots
//! for its own. A `vfork` child, which shares the table with its parent, changes
//! nothing at all.

mod ending;
mod entry;
mod exit;
mod identity;
mod scrub;
mod signal;
mod table;

use nix::errno::Errno;

use crate::sys::BlockedSignals;

pub(crate) use entry::{Armed, Publishing, arm, is_held};
pub(crate) use scrub::Outcome;
pub(crate) use table::{NAME_SIZE, Policy};

/// Makes this process one that cleans up after itself, and returns its number.
///
/// Called long before the first entry is armed, so that a signal in between finds a member.
pub(crate) fn enrol() -> u32 {
    exit::register();
    identity::enrol()
}

/// Removes every pidfile that this process holds, now. Call it before an end that runs no exit
/// handlers, such as `_exit`, `abort`, or `emulate_default_handler` of the crate signal-hook.
///
/// It also removes what was acquired with `at_exit(false)` or `signals(false)`, but not a
/// [`Reservation`](crate::Reservation). The guards stay valid; releasing one later succeeds and
/// does nothing. In a process that holds nothing, and in a forked child, it does nothing.
///
/// This function is async-signal-safe (POSIX.1-2017, section 2.4.3): it may be called in a signal
/// handler. If another thread is acquiring or releasing at that moment, it waits, at most a second.
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
        // Whether there was anything to clean up makes no difference to the caller.
        let _ = scrub::end(scrub::End::Call);
    }
    Errno::set_raw(errno);
}
