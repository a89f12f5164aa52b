//! What the expansion of `#[pidfile]` may call. Exported, hidden, as `__private`; other code must
//! not rely on it.
//!
//! The expansion reaches everything through this module, because the names of the prelude may mean
//! something else in the user's code.

pub use core::compile_error as __pidfile_dropped;
pub use core::option::Option::{self, None, Some};
pub use core::result::Result::{Err, Ok};
pub use core::time::Duration;
#[cfg(feature = "macros")]
pub use pidfile_macros::__pidfile_deferred;

pub use crate::from_acquire_error::{announce, exit, panic};
use crate::{Error, FromAcquireError};

/// Reports the failure in a function whose return type cannot be repeated in the expansion.
#[track_caller]
#[must_use]
pub fn fail<T: FromAcquireError>(error: Error) -> T {
    T::from_acquire_error(error)
}

/// The same in `main`.
#[must_use]
pub fn fail_in_main<T: FromAcquireError>(error: Error) -> T {
    T::from_acquire_error_in_main(error)
}

/// Calls the handler. This signature lets the compiler infer the types of a closure.
pub fn on_error<T, F: FnOnce(Error) -> T>(error: Error, handler: F) -> T {
    handler(error)
}

/// Calls a handler that never returns.
pub fn on_error_diverging<F: FnOnce(Error) -> Never>(error: Error, handler: F) -> ! {
    handler(error)
}

/// The type `!`, which stable Rust accepts only as the return type of a function.
pub type Never = <fn() -> ! as Yields>::Result;

/// Names the return type of a function pointer.
pub trait Yields {
    /// The return type.
    type Result;
}

impl<T> Yields for fn() -> T {
    type Result = T;
}
