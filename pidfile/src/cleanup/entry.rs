//! A file's entry in the registry, from before its name exists to its release.

use std::ffi::CStr;

use super::scrub::{self, Outcome};
use super::table::{Phase, Policy, Slot, TABLE, Word};
use super::{by_file, ending, identity, signal};
use crate::descriptor::Numbers;
use crate::sys::BlockedSignals;

/// An entry whose name may appear at any instant. All signals are blocked on this thread as long as
/// this value lives. Dropping it takes the entry back.
#[derive(Debug)]
pub(crate) struct Publishing {
    slot: &'static Slot,
    word: Word,
    /// Unblocks when it is dropped, after the slot has its new state.
    _blocked: BlockedSignals,
}

/// An entry for a file that exists under its name. It has no `Drop`, because a guard that is
/// forgotten must stay armed.
#[derive(Debug)]
#[must_use = "the file stays until the process ends"]
pub(crate) struct Armed {
    slot: &'static Slot,
    /// The process that armed it; a forked child may have reused the slot since.
    owner: u32,
    /// Kept here because of that: what the slot says may be about another file.
    in_place: bool,
}

/// Enters a file, before its name exists. The caller has enrolled the process.
///
/// # Errors
///
/// ECANCELED: the process has begun to end.
pub(crate) fn arm(numbers: Numbers, name: &CStr, policy: Policy) -> nix::Result<Publishing> {
    loop {
        let blocked = BlockedSignals::new();
        let (process, owner) = identity::enrolled();
        let slot = Slot::occupy(owner);
        slot.set_numbers(numbers);
        slot.set_name(name);
        let word = Word::new(Phase::Publishing, owner, policy);
        slot.set_word(word);
        let publishing = Publishing {
            slot,
            word,
            _blocked: blocked,
        };
        if policy.signals && !policy.reserved {
            signal::install();
        }
        publishing.supersede_others(numbers);
        if !ending::has_begun(process) {
            return Ok(publishing);
        }
        drop(publishing); // Vacates the slot and unblocks: the signal may be for this thread.
        ending::wait(process)?;
    }
}

impl Publishing {
    /// Adds the descriptors and the inode of a file that was created only after it was entered.
    pub(crate) fn identify(&self, numbers: Numbers) {
        self.slot.set_numbers(numbers);
        self.supersede_others(numbers);
    }

    /// Records that the file has another name now.
    pub(crate) fn rename(&self, name: &CStr) {
        self.slot.set_name(name);
    }

    /// Records that the name exists and is ours.
    pub(crate) fn armed(self) -> Armed {
        self.slot.set_word(self.word.with_phase(Phase::Armed));
        Armed {
            slot: self.slot,
            owner: self.word.owner(),
            in_place: self.word.policy().in_place,
        }
    }

    /// Marks an older entry with the same descriptor as superseded: the application must have
    /// closed its file behind our back. On a file system that reuses inode numbers, nothing else
    /// may tell the two files apart.
    fn supersede_others(&self, numbers: Numbers) {
        let Some(slot) = by_file::enter(numbers.file, self.slot) else {
            return;
        };
        let word = slot.word();
        let is_older = || slot.numbers().file == numbers.file;
        // The change fails, as it should, if the entry is being cleaned up, which notices by itself.
        if !std::ptr::eq(slot, self.slot)
            && word.owner() == self.word.owner()
            && word.phase() == Phase::Armed
            && is_older()
            && slot.change(word, word.with_phase(Phase::Claimed))
        {
            // Only now does the slot stay as it is; it may have been given to another file since.
            let phase = if is_older() {
                Phase::Superseded
            } else {
                Phase::Armed
            };
            slot.set_word(word.with_phase(phase));
        }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        // Not if `armed` has moved the entry on.
        if self.slot.word() == self.word {
            self.slot.vacate();
            signal::stand_back();
        }
    }
}

impl Armed {
    /// Whether this process entered the file.
    pub(crate) fn is_owned(&self) -> bool {
        self.owner == identity::generation()
    }

    /// Whether the file will be emptied instead of removed.
    pub(crate) fn is_in_place(&self) -> bool {
        self.in_place
    }

    /// Whether the application closed the file's descriptor, and its number was given out again.
    pub(crate) fn is_superseded(&self) -> bool {
        let word = self.slot.word();
        word.owner() == self.owner && word.phase() == Phase::Superseded
    }

    /// Cleans up, or waits for the thread that does. The descriptors stay open.
    pub(crate) fn scrub(self) -> Outcome {
        if !self.is_owned() {
            return Outcome::NotOwner;
        }
        let outcome = scrub::claim_and_scrub(self.slot);
        signal::stand_back();
        outcome
    }

    /// From now on, only the guard cleans up.
    pub(crate) fn reserve(&self) {
        self.change_reservation(Phase::Armed, true);
        signal::stand_back();
    }

    /// From now on, the ends that the policy names clean up too. An end that has begun already may
    /// leave the file, as it leaves any reservation.
    pub(crate) fn adopt(&self) {
        // As for a new file, an end on this thread or another one waits for the handlers.
        let _blocked = BlockedSignals::new();
        let Some(word) = self.change_reservation(Phase::Publishing, false) else {
            return;
        };
        if word.policy().signals {
            signal::install();
        }
        self.slot.set_word(word.with_phase(Phase::Armed));
    }

    /// Returns the new state. `None` if the entry is no longer armed: it is being cleaned up, so its
    /// policy does not matter.
    fn change_reservation(&self, phase: Phase, reserved: bool) -> Option<Word> {
        loop {
            let word = self.slot.word();
            if word.phase() != Phase::Armed || word.owner() != self.owner {
                return None;
            }
            let policy = Policy {
                reserved,
                ..word.policy()
            };
            let changed = word.with_phase(phase).with_policy(policy);
            if self.slot.change(word, changed) {
                return Some(changed);
            }
        }
    }
}

/// Whether this process has an entry that passes the test, for a file that the caller found under
/// its name. The name may be so new that its entry is still PUBLISHING.
pub(crate) fn is_held(mut test: impl FnMut(Numbers) -> bool) -> bool {
    let me = identity::generation();
    me != 0
        && TABLE.iter().any(|slot| {
            let word = slot.word();
            matches!(
                word.phase(),
                Phase::Publishing | Phase::Armed | Phase::Claimed
            ) && word.owner() == me
                && test(slot.numbers())
        })
}
