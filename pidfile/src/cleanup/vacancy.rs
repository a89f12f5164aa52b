//! Which slots may be vacant, so that a publisher does not search the table.
//!
//! Every slot has one bit: clear if it may be vacant, set once it was taken.
//! The bits are hints. What decides is the slot's word, which the publisher
//! changes by compare-and-swap, so a wrong bit costs no more than another try.
//!
//! A publisher sets the bit and then reads the word. A thread that vacates a
//! slot writes the word and then clears the bit. So no vacant slot keeps its
//! bit set, except while that thread is between the two steps.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use crate::sys::LeakedArray;

/// The bits of a table, 32 in each element.
#[derive(Debug)]
pub(super) struct Vacancies(LeakedArray<AtomicU32>);

impl Vacancies {
    pub(super) const fn new() -> Vacancies {
        Vacancies(LeakedArray::new())
    }

    /// Takes the first place that may be vacant. No other caller gets it until it is given back.
    pub(super) fn take(&self) -> u32 {
        let mut first = 0;
        loop {
            let bits = self.bits(first);
            let mut taken = bits.load(SeqCst);
            while taken != u32::MAX {
                let place = taken.trailing_ones();
                let bit = 1 << place;
                let before = bits.fetch_or(bit, SeqCst);
                if before & bit == 0 {
                    return first + place;
                }
                taken = before;
            }
            first += u32::BITS;
        }
    }

    /// Gives back the place of a slot that has just become vacant.
    pub(super) fn give_back(&self, place: u32) {
        let bit = 1 << (place % u32::BITS);
        self.bits(place).fetch_and(!bit, SeqCst);
    }

    /// Gives back all places: in a forked child, the slots of its ancestors are free.
    pub(super) fn give_back_all(&self) {
        for bits in self.0.iter() {
            bits.store(0, SeqCst);
        }
    }

    fn bits(&self, place: u32) -> &'static AtomicU32 {
        self.0.at((place / u32::BITS) as usize)
    }
}
