//! Which slot was entered last with a descriptor's number.
//!
//! A number means one open file at a time. When it is entered again while the
//! earlier entry is still armed, the application must have closed that file
//! behind our back. Only the latest entry can be in that state, because it
//! superseded the ones before it, so nothing else has to be searched.
//!
//! What is stored is a hint, like the bits of `vacancy`: the slot may have been
//! given to another file since, or may be an ancestor's.

use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use super::table::{Slot, TABLE};
use crate::sys::LeakedArray;

/// For each descriptor number, one more than the place of the slot, or zero. The kernel gives out
/// the lowest free number, so this is never much longer than the table of open files.
static LATEST: LeakedArray<AtomicU32> = LeakedArray::new();

/// Stores that the slot has been entered with that number, and returns the slot that was entered
/// with it before.
pub(super) fn enter(file: RawFd, slot: &Slot) -> Option<&'static Slot> {
    let file = usize::try_from(file).ok()?; // Negative: the file does not exist yet.
    let before = LATEST.at(file).swap(slot.place() + 1, SeqCst);
    let place = before.checked_sub(1)?;
    Some(TABLE.at(place as usize))
}
