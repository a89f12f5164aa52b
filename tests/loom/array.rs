//! An array that only grows, with one atomic for its length. The real one grows by segments, which would
//! give each thread some thirty more steps for each look at the table.

use core::marker::PhantomData;
use real_std::any::Any;
use real_std::cell::RefCell;
use real_std::collections::HashMap;

use crate::sync::atomic::{AtomicUsize, Ordering::SeqCst};

thread_local! {
    /// The elements of the present run, by the address of the array and the index.
    static OF_THIS_RUN: RefCell<HashMap<(usize, usize), &'static dyn Any>> = RefCell::default();
}

/// Begins a run.
pub(super) fn forget_the_last_run() {
    OF_THIS_RUN.with_borrow_mut(HashMap::clear);
}

#[derive(Debug)]
pub(crate) struct LeakedArray<T> {
    length: AtomicUsize,
    elements: PhantomData<fn() -> T>,
}

impl<T: Default + 'static> LeakedArray<T> {
    pub(crate) const fn new() -> LeakedArray<T> {
        LeakedArray {
            length: AtomicUsize::new(0),
            elements: PhantomData,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> {
        (0..self.length.load(SeqCst)).map(|index| self.element(index))
    }

    pub(crate) fn at(&self, index: usize) -> &'static T {
        let element = self.element(index);
        let mut length = self.length.load(SeqCst);
        while length <= index {
            match self
                .length
                .compare_exchange(length, index + 1, SeqCst, SeqCst)
            {
                Ok(_) => break,
                Err(longer) => length = longer,
            }
        }
        element
    }

    fn element(&self, index: usize) -> &'static T {
        let key = (core::ptr::from_ref(self).addr(), index);
        let element = OF_THIS_RUN.with_borrow_mut(|all| {
            *all.entry(key)
                .or_insert_with(|| Box::leak(Box::new(T::default())))
        });
        element.downcast_ref().expect("an array has one type")
    }
}
