//! Atomics that loom controls, and that a `static` may contain: a loom atomic belongs to one run of a
//! model, so each run makes its own at the first access. It is found by the address.
//!
//! loom treats `SeqCst` operations as acquire and release, but knows `SeqCst` fences. So there is a
//! fence on both sides of a `SeqCst` operation.

use real_std::any::Any;
use real_std::cell::{Cell, RefCell};
use real_std::collections::HashMap;
use real_std::rc::Rc;

use loom::thread::{self, Thread};

thread_local! {
    /// Of the present run. The threads of a model share the thread that runs it.
    static OF_THIS_RUN: RefCell<HashMap<usize, Rc<dyn Any>>> = RefCell::new(HashMap::new());
    /// How many changes there were in this run.
    static CHANGES: Cell<usize> = const { Cell::new(0) };
    /// The threads that sleep until there is another one.
    static SLEEPERS: RefCell<Vec<Thread>> = const { RefCell::new(Vec::new()) };
}

/// How many changes there were in this run. A thread that sleeps until there is another one misses
/// nothing, and does not sleep in vain.
pub(crate) fn changes() -> usize {
    CHANGES.get()
}

/// Sleeps until there is another change. The thread does not yield instead: loom counts no switch
/// after a yield as a preemption, so it would let two sleepers take turns without end while the
/// thread that they wait for does not run. And it reports a deadlock if all threads sleep.
pub(crate) fn sleep() {
    SLEEPERS.with_borrow_mut(|all| all.push(thread::current()));
    thread::park();
}

/// Notes that there was a change.
pub(crate) fn wake() {
    CHANGES.set(CHANGES.get() + 1);
    for sleeper in SLEEPERS.take() {
        sleeper.unpark();
    }
}

/// Begins a run.
pub(crate) fn forget_the_last_run() {
    OF_THIS_RUN.with_borrow_mut(HashMap::clear);
    SLEEPERS.with_borrow_mut(Vec::clear);
}

fn of_this_run<Atomic: 'static>(address: usize, make: impl FnOnce() -> Atomic) -> Rc<Atomic> {
    let known = OF_THIS_RUN.with_borrow(|all| all.get(&address).cloned());
    let atomic = known.unwrap_or_else(|| {
        let new: Rc<dyn Any> = Rc::new(make());
        OF_THIS_RUN.with_borrow_mut(|all| all.insert(address, new.clone()));
        new
    });
    atomic.downcast().expect("an address has one atomic")
}

/// `std::sync::atomic`.
pub mod atomic {
    pub use core::sync::atomic::AtomicU8; // For names; see the documentation of the crate.
    pub use core::sync::atomic::Ordering;

    use loom::sync::atomic as checked;

    use super::of_this_run;

    /// loom switches to another thread before an operation, never after it.
    fn change<T>(orders: &[Ordering], operation: impl FnOnce() -> T) -> T {
        let result = fenced(orders, operation);
        super::wake();
        result
    }

    fn fenced<T>(orders: &[Ordering], operation: impl FnOnce() -> T) -> T {
        let fence = || {
            if orders.contains(&Ordering::SeqCst) {
                checked::fence(Ordering::SeqCst);
            }
        };
        fence();
        let result = operation();
        fence();
        result
    }

    macro_rules! atomic {
        ($name:ident, $value:ty) => {
            /// As in std.
            #[derive(Debug)]
            pub struct $name(core::sync::atomic::$name);

            impl $name {
                pub const fn new(value: $value) -> $name {
                    $name(core::sync::atomic::$name::new(value))
                }

                fn checked(&self) -> real_std::rc::Rc<checked::$name> {
                    let address = core::ptr::from_ref(self).addr();
                    let initial = self.0.load(Ordering::Relaxed);
                    of_this_run(address, || checked::$name::new(initial))
                }

                pub fn load(&self, order: Ordering) -> $value {
                    fenced(&[order], || self.checked().load(order))
                }

                pub fn store(&self, value: $value, order: Ordering) {
                    change(&[order], || self.checked().store(value, order));
                }

                pub fn swap(&self, value: $value, order: Ordering) -> $value {
                    change(&[order], || self.checked().swap(value, order))
                }

                /// # Errors
                ///
                /// The value, if it is another one.
                pub fn compare_exchange(
                    &self,
                    current: $value,
                    new: $value,
                    success: Ordering,
                    failure: Ordering,
                ) -> Result<$value, $value> {
                    change(&[success, failure], || {
                        self.checked()
                            .compare_exchange(current, new, success, failure)
                    })
                }
            }
        };
    }

    macro_rules! number {
        ($name:ident, $value:ty) => {
            atomic!($name, $value);

            impl $name {
                pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                    change(&[order], || self.checked().fetch_add(value, order))
                }

                pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                    change(&[order], || self.checked().fetch_sub(value, order))
                }

                pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                    change(&[order], || self.checked().fetch_or(value, order))
                }

                pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                    change(&[order], || self.checked().fetch_and(value, order))
                }
            }

            impl Default for $name {
                fn default() -> $name {
                    $name::new(0)
                }
            }
        };
    }

    number!(AtomicI32, i32);
    number!(AtomicU32, u32);
    number!(AtomicUsize, usize);
    atomic!(AtomicBool, bool);

    /// As in std.
    #[derive(Debug)]
    pub struct AtomicPtr<T: 'static>(core::sync::atomic::AtomicPtr<T>);

    impl<T> AtomicPtr<T> {
        pub const fn new(value: *mut T) -> AtomicPtr<T> {
            AtomicPtr(core::sync::atomic::AtomicPtr::new(value))
        }

        fn checked(&self) -> real_std::rc::Rc<checked::AtomicPtr<T>> {
            let address = core::ptr::from_ref(self).addr();
            let initial = self.0.load(Ordering::Relaxed);
            of_this_run(address, || checked::AtomicPtr::new(initial))
        }

        pub fn load(&self, order: Ordering) -> *mut T {
            fenced(&[order], || self.checked().load(order))
        }

        pub fn store(&self, value: *mut T, order: Ordering) {
            change(&[order], || self.checked().store(value, order));
        }

        /// # Errors
        ///
        /// The value, if it is another one.
        pub fn compare_exchange_weak(
            &self,
            current: *mut T,
            new: *mut T,
            success: Ordering,
            failure: Ordering,
        ) -> Result<*mut T, *mut T> {
            change(&[success, failure], || {
                self.checked()
                    .compare_exchange(current, new, success, failure)
            })
        }

        /// # Errors
        ///
        /// The value, if it is another one.
        pub fn compare_exchange(
            &self,
            current: *mut T,
            new: *mut T,
            success: Ordering,
            failure: Ordering,
        ) -> Result<*mut T, *mut T> {
            self.compare_exchange_weak(current, new, success, failure)
        }
    }
}
