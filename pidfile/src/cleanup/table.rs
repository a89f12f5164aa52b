//! The slots: what a signal handler may read at any instant.
//!
//! A slot holds raw numbers and an inline name, all in atomics, so that reading
//! it needs no lock and no allocation. Its `word` says who may write the rest:
//! the module's documentation draws the states. Slots are leaked once and used
//! again; memory grows with the most files ever held at once.

use std::ffi::CStr;
use std::sync::atomic::{
    AtomicI32, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed, Ordering::SeqCst,
};

use crate::descriptor::Held;
use crate::sys::{FileId, LeakedList};

/// `NAME_MAX` of every file system we know, and the NUL.
pub(crate) const NAME_SIZE: usize = 256;

/// All slots of this process.
pub(super) static TABLE: LeakedList<Slot> = LeakedList::new();

/// The state of a slot: a [`Phase`] and, from PUBLISHING on, how its file wants to be cleaned up.
///
/// Phase and flags share one atomic, so that a compare-and-swap that wins is right about both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Phase {
    /// Free for the next file.
    Vacant = 0,
    /// Being filled in by one thread; nobody else reads it.
    Filling = 1,
    /// Filled in; its name may appear at any instant. Only the publishing thread goes on from here.
    Publishing = 2,
    /// Published; whoever claims it cleans it up.
    Armed = 3,
    /// Being cleaned up by the one that claimed it.
    Claimed = 4,
    /// Cleaned up; its guard has not noticed yet.
    Spent = 5,
}

const PHASE_MASK: u32 = 0b111;

/// How a file wants to be cleaned up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch, and a bit of the word"
)]
pub(crate) struct Ways {
    /// When the process exits.
    pub(crate) at_exit: bool,
    /// When a signal ends the process.
    pub(crate) signals: bool,
    /// Emptied instead of removed.
    pub(crate) in_place: bool,
    /// By nobody but its guard, whatever the others say: it is held for another process.
    pub(crate) reserved: bool,
}

impl Ways {
    /// A hidden draft is litter whatever becomes of the file: every end that is noticed removes it.
    pub(crate) fn of_draft(self) -> Ways {
        Ways {
            at_exit: true,
            signals: self.signals,
            in_place: false,
            reserved: false,
        }
    }
}

impl Word {
    pub(super) const VACANT: Word = Word(Phase::Vacant as u32);

    pub(super) fn new(phase: Phase, ways: Ways) -> Word {
        Word(
            phase as u32
                | u32::from(ways.at_exit) << 3
                | u32::from(ways.signals) << 4
                | u32::from(ways.in_place) << 5
                | u32::from(ways.reserved) << 6,
        )
    }

    pub(super) fn phase(self) -> Phase {
        match self.0 & PHASE_MASK {
            1 => Phase::Filling,
            2 => Phase::Publishing,
            3 => Phase::Armed,
            4 => Phase::Claimed,
            5 => Phase::Spent,
            _ => Phase::Vacant,
        }
    }

    pub(super) fn ways(self) -> Ways {
        Ways {
            at_exit: self.0 & 1 << 3 != 0,
            signals: self.0 & 1 << 4 != 0,
            in_place: self.0 & 1 << 5 != 0,
            reserved: self.0 & 1 << 6 != 0,
        }
    }

    pub(super) fn with(self, phase: Phase) -> Word {
        Word(self.0 & !PHASE_MASK | phase as u32)
    }
}

/// One file that this process may have to clean up.
#[derive(Debug)]
pub(crate) struct Slot {
    /// All changes of state are `SeqCst`: a publisher writes `word` and then reads `ending`, an
    /// ending thread writes `ending` and then reads `word`, and one of the two must see the other.
    word: AtomicU32,
    owner: AtomicU64,
    dir: AtomicI32,
    file: AtomicI32,
    dev: AtomicU64,
    ino: AtomicU64,
    name: [AtomicU8; NAME_SIZE],
}

impl Slot {
    fn new() -> Slot {
        Slot {
            word: AtomicU32::new(Word::new(Phase::Filling, Ways::default()).0),
            owner: AtomicU64::new(0),
            dir: AtomicI32::new(-1),
            file: AtomicI32::new(-1),
            dev: AtomicU64::new(0),
            ino: AtomicU64::new(0),
            name: [const { AtomicU8::new(0) }; NAME_SIZE],
        }
    }

    /// A slot in FILLING that only the caller uses: a vacant one, or else a new one.
    pub(super) fn occupy() -> &'static Slot {
        TABLE
            .iter()
            .find(|slot| slot.change(Word::VACANT, Word::VACANT.with(Phase::Filling)))
            .unwrap_or_else(|| TABLE.push(Slot::new()))
    }

    pub(super) fn word(&self) -> Word {
        Word(self.word.load(SeqCst))
    }

    /// Only for the thread to which the present state belongs.
    pub(super) fn set_word(&self, word: Word) {
        self.word.store(word.0, SeqCst);
    }

    /// Changes the state if nobody was faster.
    pub(super) fn change(&self, from: Word, to: Word) -> bool {
        self.word
            .compare_exchange(from.0, to.0, SeqCst, SeqCst)
            .is_ok()
    }

    // The fields are Relaxed: they are written only in a state that belongs to one thread, and the
    // SeqCst change of `word` that ends that state publishes them.

    pub(super) fn owner(&self) -> u64 {
        self.owner.load(Relaxed)
    }

    pub(super) fn set_owner(&self, process: u64) {
        self.owner.store(process, Relaxed);
    }

    pub(super) fn held(&self) -> Held {
        Held {
            dir: self.dir.load(Relaxed),
            file: self.file.load(Relaxed),
            id: FileId {
                dev: self.dev.load(Relaxed),
                ino: self.ino.load(Relaxed),
            },
        }
    }

    pub(super) fn set_held(&self, held: Held) {
        self.dir.store(held.dir, Relaxed);
        self.file.store(held.file, Relaxed);
        self.dev.store(held.id.dev, Relaxed);
        self.ino.store(held.id.ino, Relaxed);
    }

    /// Copies the name to `buffer`, where it is a C string.
    pub(super) fn name<'a>(&self, buffer: &'a mut [u8; NAME_SIZE]) -> &'a CStr {
        for (byte, stored) in buffer.iter_mut().zip(&self.name) {
            *byte = stored.load(Relaxed);
        }
        // The last byte is never written and stays NUL; an empty name is a name that no file has.
        CStr::from_bytes_until_nul(buffer).unwrap_or_default()
    }

    /// Stores the name. `path` has made sure that it fits.
    pub(super) fn set_name(&self, name: &CStr) {
        let bytes = name.to_bytes_with_nul();
        for (stored, byte) in self.name.iter().take(NAME_SIZE - 1).zip(bytes) {
            stored.store(*byte, Relaxed);
        }
    }
}
