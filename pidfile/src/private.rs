//! What the expansion of `#[pidfile]` may call. Exported, hidden, as `__private`; nobody else may
//! rely on it.
//!
//! The expansion reaches everything through this module, because the names of the prelude may mean
//! something else where it stands.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process;

pub use core::option::Option::{None, Some};
pub use core::result::Result::{Err, Ok};
pub use core::time::Duration;
#[cfg(feature = "macros")]
pub use pidfile_macros::__pidfile_deferred;

use crate::{Error, FromAcquireError};

/// Fails in a function whose return type cannot be written a second time.
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

/// Calls the handler. A closure learns here what it is given and what it has to return.
pub fn on_error<T, F: FnOnce(Error) -> T>(error: Error, handler: F) -> T {
    handler(error)
}

/// Fails in a function that has no other way to say it.
///
/// # Panics
///
/// Always.
#[track_caller]
#[allow(
    clippy::needless_pass_by_value,
    reason = "the expansion gives the error away, as to every other helper"
)]
pub fn panic(error: Error) -> ! {
    panic!("{error:#}")
}

/// Fails in a `main` that has no other way to say it: with one line on stderr, and the status that
/// the error stands for.
pub fn exit(error: Error) -> ! {
    report(&error);
    let status = error.exit_code();
    drop(error);
    process::exit(status.into())
}

/// Writes `<program>: <error>` to stderr, in one piece so that no other line gets in between.
pub(crate) fn report(error: &Error) {
    let name = env::args_os().next();
    let name = name.as_deref().map(Path::new).and_then(Path::file_name);
    let mut line = String::new();
    if let Some(name) = name {
        line.push_str(&name.to_string_lossy());
        line.push_str(": ");
    }
    // Writing to a string cannot fail. The alternate form has the cause, too.
    let _ = writeln!(line, "{error:#}");
    // If nobody listens there is nobody to tell; the exit status still says it.
    let _ = io::stderr().write_all(line.as_bytes());
}
