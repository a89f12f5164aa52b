//! The slots: what a signal handler may read at any instant.
//!
//! A slot has raw numbers and an inline name, all in atomics, so that reading
//! it needs no lock and no allocation. Its [`Word`] determines which thread may
//! write the rest; the documentation of the parent module draws the states.
//! Slots are leaked, and reused even by a forked child, so memory grows only
//! with the largest number of files ever held at once. A bitmap leads to the
//! first vacant one (`vacancy`).

use std::ffi::CStr;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering::Relaxed, Ordering::SeqCst};

use super::identity::OWNER_BITS;
use super::vacancy::Vacancies;
use crate::descriptor::Numbers;
use crate::sys::{FileId, LeakedArray};

/// `NAME_MAX` of every file system that we know of, and the NUL.
pub(crate) const NAME_SIZE: usize = 256;

/// All slots of this process.
pub(super) static TABLE: LeakedArray<Slot> = LeakedArray::new();

static VACANCIES: Vacancies = Vacancies::new();

/// The state of a slot: a [`Phase`], how its file is cleaned up, and the generation of the process
/// that filled it.
///
/// All of it is one atomic, so that a compare-and-swap covers everything at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Phase {
    /// Free for the next file.
    Vacant = 0,
    /// Being filled in by one thread; no other thread reads it.
    Filling = 1,
    /// Filled in; its name may appear at any instant, or its handlers are being installed. Only the
    /// publishing thread changes it.
    Publishing = 2,
    /// Published; the thread that claims it cleans it up.
    Armed = 3,
    /// Being cleaned up by the thread that claimed it.
    Claimed = 4,
    /// Cleaned up; its guard has not noticed yet.
    Spent = 5,
    /// Its descriptor was closed by the application, and the number means another entry's file now.
    Superseded = 6,
}

/// How a file is cleaned up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch, and a bit of the word"
)]
pub(crate) struct Policy {
    /// Cleaned up when the process exits.
    pub(crate) at_exit: bool,
    /// Cleaned up when a signal ends the process.
    pub(crate) signals: bool,
    /// Emptied instead of removed.
    pub(crate) in_place: bool,
    /// Cleaned up only by its guard, whatever the other flags are: it is held for another process.
    pub(crate) reserved: bool,
}

const PHASE_MASK: u32 = 0b111;
const AT_EXIT: u32 = 1 << 3;
const SIGNALS: u32 = 1 << 4;
const IN_PLACE: u32 = 1 << 5;
const RESERVED: u32 = 1 << 6;
const OWNER_SHIFT: u32 = u32::BITS - OWNER_BITS;

impl Word {
    pub(super) const VACANT: Word = Word(Phase::Vacant as u32);

    pub(super) fn new(phase: Phase, owner: u32, policy: Policy) -> Word {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        Word(
            phase as u32
                | flag(policy.at_exit, AT_EXIT)
                | flag(policy.signals, SIGNALS)
                | flag(policy.in_place, IN_PLACE)
                | flag(policy.reserved, RESERVED)
                | owner << OWNER_SHIFT,
        )
    }

    pub(super) fn phase(self) -> Phase {
        match self.0 & PHASE_MASK {
            1 => Phase::Filling,
            2 => Phase::Publishing,
            3 => Phase::Armed,
            4 => Phase::Claimed,
            5 => Phase::Spent,
            6 => Phase::Superseded,
            _ => Phase::Vacant,
        }
    }

    pub(super) fn policy(self) -> Policy {
        Policy {
            at_exit: self.0 & AT_EXIT != 0,
            signals: self.0 & SIGNALS != 0,
            in_place: self.0 & IN_PLACE != 0,
            reserved: self.0 & RESERVED != 0,
        }
    }

    /// The generation of the process that filled the slot.
    pub(super) fn owner(self) -> u32 {
        self.0 >> OWNER_SHIFT
    }

    pub(super) fn with_phase(self, phase: Phase) -> Word {
        Word(self.0 & !PHASE_MASK | phase as u32)
    }

    pub(super) fn with_policy(self, policy: Policy) -> Word {
        Word::new(self.phase(), self.owner(), policy)
    }
}

/// One file that this process may have to clean up.
#[derive(Debug)]
pub(crate) struct Slot {
    /// All changes of state are `SeqCst`. A publisher writes `word` and then checks whether the
    /// process is ending; an ending thread announces itself and then reads `word`. At least one of
    /// the two must see the other.
    word: AtomicU32,
    /// Its place in the table.
    place: AtomicU32,
    dir: AtomicI32,
    file: AtomicI32,
    dev: Wide,
    ino: Wide,
    name: [AtomicU8; NAME_SIZE],
}

/// A 64-bit number in two halves, because some processors have no 64-bit atomics. Like the other
/// fields, it is written only in states that belong to one thread, so the halves are never seen
/// apart.
#[derive(Debug)]
struct Wide {
    high: AtomicU32,
    low: AtomicU32,
}

impl Wide {
    const fn new() -> Wide {
        Wide {
            high: AtomicU32::new(0),
            low: AtomicU32::new(0),
        }
    }

    #[allow(
        clippy::cast_possible_truncation,
        reason = "the other half is stored beside it"
    )]
    fn store(&self, number: u64) {
        self.high.store((number >> 32) as u32, Relaxed);
        self.low.store(number as u32, Relaxed);
    }

    fn load(&self) -> u64 {
        u64::from(self.high.load(Relaxed)) << 32 | u64::from(self.low.load(Relaxed))
    }
}

impl Default for Slot {
    fn default() -> Slot {
        Slot {
            word: AtomicU32::new(Word::VACANT.0),
            place: AtomicU32::new(0),
            dir: AtomicI32::new(-1),
            file: AtomicI32::new(-1),
            dev: Wide::new(),
            ino: Wide::new(),
            name: [const { AtomicU8::new(0) }; NAME_SIZE],
        }
    }
}

impl Slot {
    /// Returns a slot in FILLING that only the caller uses: a vacant one, an ancestor's, or else a
    /// new one.
    pub(super) fn occupy(owner: u32) -> &'static Slot {
        let filling = Word::new(Phase::Filling, owner, Policy::default());
        loop {
            let place = VACANCIES.take();
            let slot = TABLE.at(place as usize);
            let word = slot.word();
            if word.is_free_for(owner) && slot.change(word, filling) {
                slot.place.store(place, Relaxed);
                return slot;
            }
            // The bit was wrong, but is right now that it is set.
        }
    }

    /// Makes the slot vacant. Only for the thread to which the present state belongs.
    pub(super) fn vacate(&self) {
        let place = self.place();
        self.set_word(Word::VACANT);
        VACANCIES.give_back(place);
    }

    pub(super) fn place(&self) -> u32 {
        self.place.load(Relaxed)
    }

    pub(super) fn word(&self) -> Word {
        Word(self.word.load(SeqCst))
    }

    /// Sets the state. Only for the thread to which the present state belongs.
    pub(super) fn set_word(&self, word: Word) {
        self.word.store(word.0, SeqCst);
    }

    /// Changes the state if it is still `from`.
    pub(super) fn change(&self, from: Word, to: Word) -> bool {
        self.word
            .compare_exchange(from.0, to.0, SeqCst, SeqCst)
            .is_ok()
    }

    // The fields are Relaxed, because they are written only in a state that belongs to one thread,
    // and the SeqCst change of `word` that ends this state publishes them.

    pub(super) fn numbers(&self) -> Numbers {
        Numbers {
            dir: self.dir.load(Relaxed),
            file: self.file.load(Relaxed),
            id: FileId {
                dev: self.dev.load(),
                ino: self.ino.load(),
            },
        }
    }

    pub(super) fn set_numbers(&self, numbers: Numbers) {
        self.dir.store(numbers.dir, Relaxed);
        self.file.store(numbers.file, Relaxed);
        self.dev.store(numbers.id.dev);
        self.ino.store(numbers.id.ino);
    }

    /// Copies the name to `buffer`, where it is a C string.
    pub(super) fn name<'a>(&self, buffer: &'a mut [u8; NAME_SIZE]) -> &'a CStr {
        for (byte, stored) in buffer.iter_mut().zip(&self.name) {
            *byte = stored.load(Relaxed);
            if *byte == 0 {
                break;
            }
        }
        // The last byte is never written, so it stays NUL. No file has an empty name.
        CStr::from_bytes_until_nul(buffer).unwrap_or_default()
    }

    /// Stores the name. `path` makes sure that it fits.
    pub(super) fn set_name(&self, name: &CStr) {
        let bytes = name.to_bytes_with_nul();
        for (stored, byte) in self.name.iter().take(NAME_SIZE - 1).zip(bytes) {
            stored.store(*byte, Relaxed);
        }
    }
}

impl Word {
    /// Whether a process of that generation may fill the slot. What an ancestor left in it means
    /// nothing here, and its guards see by the generation that the slot is no longer theirs. The
    /// exception is a slot that one of the ancestor's threads was just filling, which cannot be
    /// told from a new one.
    fn is_free_for(self, owner: u32) -> bool {
        self == Word::VACANT || self.owner() != owner && self.phase() != Phase::Filling
    }
}

/// Makes the slots of all ancestors available to a process that has just enrolled.
pub(super) fn reuse_ancestors_slots() {
    VACANCIES.give_back_all();
}

/// Whether a signal would have something to clean up in the process of that generation, now or in
/// an instant.
pub(super) fn wants_signals(me: u32) -> bool {
    TABLE.iter().any(|slot| {
        let word = slot.word();
        let policy = word.policy();
        word.owner() == me
            && policy.signals
            && !policy.reserved
            && matches!(
                word.phase(),
                Phase::Publishing | Phase::Armed | Phase::Claimed
            )
    })
}
