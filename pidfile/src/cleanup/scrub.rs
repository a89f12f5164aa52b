//! The one routine that cleans up, and its two callers: a guard that is
//! released, and a process that ends (exit hook, signal handler, `cleanup()`).
//!
//! Everything here is async-signal-safe: system calls and atomics only. A slot
//! is claimed before it is scrubbed, and a thread that loses the claim waits
//! for the winner for at most one second.

use nix::errno::Errno;

use super::ending::{self, PATIENCE};
use super::identity;
use super::table::{NAME_SIZE, Phase, Policy, Slot, TABLE};
use crate::descriptor::Numbers;
use crate::sys::{self, BlockedSignals, LockKind};

/// What became of a file that was to be cleaned up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Removed by us a moment ago, so both descriptors are known to be ours.
    Removed,
    /// Already gone, whoever removed it.
    Gone,
    /// Emptied and unlocked, because it may not be removed or was written in place.
    Emptied,
    /// The name or the descriptor means another file now; nothing was touched.
    Lost,
    /// The file could be neither removed nor emptied.
    Refused(Errno),
    /// Another process owns it: nothing was touched.
    NotOwner,
    /// Another thread has been cleaning it up for a second, and still uses the descriptors.
    Stuck,
}

/// Claims an entry of this process for its guard and scrubs it, or waits for the thread that does.
/// The slot is vacant afterwards, unless that thread is stuck.
pub(super) fn claim_and_scrub(slot: &Slot) -> Outcome {
    let _blocked = BlockedSignals::new();
    for _ in 0..PATIENCE {
        let word = slot.word();
        let outcome = match word.phase() {
            Phase::Armed => {
                if !slot.change(word, word.with_phase(Phase::Claimed)) {
                    continue;
                }
                scrub(slot, word.policy())
            }
            Phase::Claimed => {
                sys::nap(1);
                continue;
            }
            Phase::Superseded => Outcome::Lost,
            // SPENT: an exit or a signal on another thread was faster.
            _ => Outcome::Gone,
        };
        slot.vacate();
        return outcome;
    }
    Outcome::Stuck
}

/// The one routine that cleans up. The caller has claimed the slot and checked its owner.
///
/// Async-signal-safe.
fn scrub(slot: &Slot, policy: Policy) -> Outcome {
    let numbers = slot.numbers();
    if numbers.file_is_lost() {
        return Outcome::Lost;
    }
    let mut buffer = [0; NAME_SIZE];
    let name = slot.name(&mut buffer);
    match sys::stat_at(numbers.dir, name) {
        Ok(stat) if stat.id != numbers.id => return Outcome::Lost,
        Ok(_) if policy.in_place => {}
        Ok(_) => match sys::unlink(numbers.dir, name) {
            // No LOCK_UN: the file can no longer be reached by name, and a process that has it open
            // sees by its inode that the name means another file.
            Ok(()) => return Outcome::Removed,
            Err(Errno::ENOENT) => return Outcome::Gone,
            // A call may succeed and yet report a failure, if a server's reply is lost.
            Err(_) if sys::stat_at(numbers.dir, name).err() == Some(Errno::ENOENT) => {
                return Outcome::Gone;
            }
            Err(_) => {}
        },
        Err(Errno::ENOENT) => return Outcome::Gone,
        // The directory's descriptor was closed, and its number may mean another file.
        Err(Errno::EBADF | Errno::ENOTDIR) => return Outcome::Lost,
        // For instance, the directory is closed to us because privileges were dropped.
        Err(_) => {}
    }
    empty(numbers)
}

/// Empties and unlocks the file, which is second best to removing it: an empty file is stale.
fn empty(numbers: Numbers) -> Outcome {
    // Checked again: what came in between may have been slow. And the application may have opened
    // the very same file at our number, after another process took it over in place.
    if numbers.file_is_lost() || numbers.is_locked_by_another() {
        return Outcome::Lost;
    }
    let emptied = sys::truncate(numbers.file);
    // Otherwise copies of the descriptor in forked children would keep the lock. Ignored: without a
    // lock there is nothing to unlock.
    let _ = sys::flock(numbers.file, LockKind::None);
    match emptied {
        Ok(()) => Outcome::Emptied,
        Err(errno) => Outcome::Refused(errno),
    }
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Exit,
    Signal,
    /// Not yet, but the program announces an end that runs no handlers.
    Call,
}

impl End {
    fn concerns(self, policy: Policy) -> bool {
        !policy.reserved
            && match self {
                End::Exit => policy.at_exit,
                End::Signal => policy.signals,
                End::Call => true,
            }
    }
}

/// Scrubs every file whose policy covers this end. Returns whether there was one, including any
/// that another thread was just publishing or releasing. `None` if this process has not enrolled,
/// so that what is in the table belongs to its parent.
///
/// Async-signal-safe. The caller has signals blocked.
pub(super) fn end(how: End) -> Option<bool> {
    let (process, me) = identity::member()?;
    if how != End::Call {
        ending::begin(process);
    }
    let mut patience = PATIENCE;
    let mut held = false;
    for slot in TABLE.iter() {
        // Until the slot has nothing that could still be removed.
        loop {
            let word = slot.word();
            if word.owner() != me {
                break;
            }
            match word.phase() {
                Phase::Publishing | Phase::Claimed if patience > 0 => {
                    held |= how.concerns(word.policy());
                    patience -= 1;
                    sys::nap(1);
                }
                Phase::Armed if how.concerns(word.policy()) => {
                    if slot.change(word, word.with_phase(Phase::Claimed)) {
                        scrub(slot, word.policy());
                        slot.set_word(word.with_phase(Phase::Spent));
                        held = true;
                    }
                }
                _ => break,
            }
        }
    }
    Some(held)
}
