//! The one routine that cleans up, and the two ways to it: a guard that is given
//! back, and a process that ends (exit hook, signal handler, `cleanup()`).
//!
//! Everything here is async-signal-safe: system calls and atomics only. A slot
//! is claimed before it is scrubbed, and whoever loses the claim waits for the
//! winner, at most a second.

use std::sync::atomic::Ordering::SeqCst;

use nix::errno::Errno;

use super::table::{NAME_SIZE, Phase, Slot, TABLE, Ways, Word};
use super::{Armed, Blocked, MEMBER, PATIENCE, ending, identity};
use crate::sys::{self, LockKind};

/// What became of a file that was to be cleaned up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Removed by us a moment ago, so that both descriptors are known to be ours.
    Removed,
    /// Gone already, by whoever's hand.
    Gone,
    /// The directory refused, or the file is not ours to remove: empty, and unlocked.
    Emptied,
    /// The name or the descriptor means another file now; nothing was touched.
    Lost,
    /// The directory refused and the file could not be emptied either.
    Refused(Errno),
    /// Another process owns it: nothing was touched.
    NotOwner,
    /// Another thread has been cleaning it up for longer than anybody waits, and still uses the
    /// descriptors.
    Stuck,
}

impl Armed {
    /// Cleans up, or waits for the one that does. The descriptors stay open.
    pub(crate) fn scrub(self) -> Outcome {
        let slot = self.slot;
        if slot.owner() != identity(sys::pid()) {
            return Outcome::NotOwner;
        }
        let _blocked = Blocked::new();
        for _ in 0..PATIENCE {
            let word = slot.word();
            match word.phase() {
                Phase::Armed => {
                    if slot.change(word, word.with(Phase::Claimed)) {
                        let outcome = scrub(slot, word.ways());
                        slot.set_word(Word::VACANT);
                        return outcome;
                    }
                }
                Phase::Claimed => sys::nap(1),
                _ => {
                    // Spent: an exit or a signal on another thread was faster.
                    slot.set_word(Word::VACANT);
                    return Outcome::Gone;
                }
            }
        }
        Outcome::Stuck
    }
}

/// The one routine that cleans up. The caller has claimed the slot and checked its owner.
///
/// Async-signal-safe.
fn scrub(slot: &Slot, ways: Ways) -> Outcome {
    let held = slot.held();
    if !held.file_is_ours() {
        return Outcome::Lost;
    }
    let mut buffer = [0; NAME_SIZE];
    match sys::id_of_name(held.dir, slot.name(&mut buffer)) {
        Ok(id) if id != held.id => return Outcome::Lost,
        Ok(_) if ways.in_place => {}
        Ok(_) => {
            match sys::unlink(held.dir, slot.name(&mut buffer)) {
                // No LOCK_UN: nobody can reach the file by name, and whoever has it open sees by
                // its inode that it is no longer the one.
                Ok(()) => return Outcome::Removed,
                Err(Errno::ENOENT) => return Outcome::Gone,
                Err(_) => {}
            }
        }
        Err(Errno::ENOENT) => return Outcome::Gone,
        // The directory is closed to us since privileges were dropped, say.
        Err(_) => {}
    }
    // Asked again: what came in between may have been slow.
    if !held.file_is_ours() {
        return Outcome::Lost;
    }
    let emptied = sys::truncate(held.file);
    // The descriptor's copies in forked children keep the lock otherwise. Ignored: where there is
    // no lock there is nothing to give back.
    let _ = sys::flock(held.file, LockKind::None);
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
    /// Not yet, but the program says that it will, in a way that nobody notices.
    Call,
}

impl End {
    fn concerns(self, ways: Ways) -> bool {
        !ways.reserved
            && match self {
                End::Exit => ways.at_exit,
                End::Signal => ways.signals,
                End::Call => true,
            }
    }
}

/// Scrubs every file that wants it at this end; tells whether there was one, be it one that another
/// thread was just publishing or releasing. `None` if this process never took part, and what is in
/// the table is its parent's.
///
/// Async-signal-safe. The caller has signals blocked.
pub(super) fn end(how: End) -> Option<bool> {
    let pid = sys::pid();
    let me = identity(pid);
    if MEMBER.load(SeqCst) != me {
        return None;
    }
    if how != End::Call {
        ending::begin(pid);
    }
    let mut patience = PATIENCE;
    let mut held = false;
    for slot in TABLE.iter() {
        // Until the slot is nothing that we could still remove.
        loop {
            let word = slot.word();
            if slot.owner() != me {
                break;
            }
            match word.phase() {
                Phase::Publishing | Phase::Claimed if patience > 0 => {
                    held |= how.concerns(word.ways());
                    patience -= 1;
                    sys::nap(1);
                }
                Phase::Armed if how.concerns(word.ways()) => {
                    if slot.change(word, word.with(Phase::Claimed)) {
                        scrub(slot, word.ways());
                        slot.set_word(word.with(Phase::Spent));
                        held = true;
                    }
                }
                _ => break,
            }
        }
    }
    Some(held)
}
