//! An array that a signal handler can read at any instant.

use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};

/// An array that only grows, by whole segments, so that its elements never move.
///
/// It uses atomics instead of a lock, because signal handlers read it, and because a fork may
/// happen while another thread adds a segment.
#[derive(Debug)]
pub(crate) struct LeakedArray<T: 'static> {
    /// The first element of each segment, or null. Each segment is twice as long as the one before
    /// it.
    segments: [AtomicPtr<T>; SEGMENTS],
}

/// The length of the first segment.
const FIRST: usize = 8;

/// Enough for every index up to `i32::MAX`, so for every descriptor number.
const SEGMENTS: usize = 29;

/// The segment of an element, and the place in it.
fn locate(index: usize) -> (usize, usize) {
    let segment = (index / FIRST + 1).ilog2() as usize;
    (segment, index - FIRST * ((1 << segment) - 1))
}

impl<T: Sync> LeakedArray<T> {
    pub(crate) const fn new() -> LeakedArray<T> {
        LeakedArray {
            segments: [const { AtomicPtr::new(ptr::null_mut()) }; SEGMENTS],
        }
    }

    /// All elements that exist.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> {
        (0..SEGMENTS)
            .filter_map(|segment| self.segment(segment))
            .flatten()
    }

    /// An element. It and its neighbours are created if they do not exist, and never freed.
    pub(crate) fn at(&self, index: usize) -> &'static T
    where
        T: Default,
    {
        let (segment, place) = locate(index);
        loop {
            match self.segment(segment) {
                Some(elements) => return &elements[place],
                None => self.grow(segment),
            }
        }
    }

    fn segment(&self, segment: usize) -> Option<&'static [T]> {
        // SeqCst, as in `grow`. A publisher that adds a segment and then sees no ending is seen by
        // an ending thread, which first announces itself and then reads the segments.
        let first = self.segments.get(segment)?.load(SeqCst);
        // SAFETY: `grow` stored a pointer to that many elements, which are complete and never
        // freed, and are shared from then on.
        (!first.is_null()).then(|| unsafe { slice::from_raw_parts(first, FIRST << segment) })
    }

    fn grow(&self, segment: usize)
    where
        T: Default,
    {
        let elements: Box<[T]> = (0..FIRST << segment).map(|_| T::default()).collect();
        let elements = Box::into_raw(elements);
        let first = elements.cast::<T>();
        if self.segments[segment]
            .compare_exchange(ptr::null_mut(), first, SeqCst, SeqCst)
            .is_err()
        {
            // Another thread was faster.
            // SAFETY: the pointer comes from `into_raw` and was not given to anyone.
            drop(unsafe { Box::from_raw(elements) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::thread;

    use super::*;

    #[test]
    fn every_index_has_a_place_of_its_own() {
        let mut expected = (0, 0);
        for index in 0..100_000 {
            assert_eq!(locate(index), expected, "{index}");
            expected.1 += 1;
            if expected.1 == FIRST << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
        let (segment, place) = locate(i32::MAX as usize);
        assert!(segment < SEGMENTS && place < FIRST << segment);
    }

    #[test]
    fn threads_that_add_a_segment_at_once_share_it() {
        static ARRAY: LeakedArray<AtomicU32> = LeakedArray::new();
        let most = if cfg!(miri) { 100 } else { 10_000 };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for index in 0..most {
                        ARRAY.at(index).fetch_add(1, SeqCst);
                    }
                });
            }
        });
        let counts = || ARRAY.iter().map(|element| element.load(SeqCst));
        assert!(counts().take(most).all(|count| count == 8));
        assert!(counts().skip(most).all(|count| count == 0));
    }

    #[test]
    fn elements_behind_a_gap_are_found() {
        let array: LeakedArray<AtomicU32> = LeakedArray::new();
        array.at(1_000).store(1, SeqCst);
        assert_eq!(
            array
                .iter()
                .filter(|element| element.load(SeqCst) == 1)
                .count(),
            1
        );
    }
}
