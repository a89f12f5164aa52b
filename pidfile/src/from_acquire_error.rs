//! `FromAcquireError`: how a function that holds a pidfile says that it did not get it.
//!
//! The attribute knows the tokens of a return type, not the type. This trait is where the compiler
//! tells it what the type can express, through every alias.

use std::process::ExitCode;

use crate::{__private as private, Error};

/// How the return type of a function with `#[pidfile]` reports that the pidfile was not acquired.
///
/// | return type | in `main` | elsewhere |
/// |---|---|---|
/// | nothing | one line on stderr, then the process exits with [`Error::exit_code`] | panics with the error's text |
/// | [`ExitCode`] | the same line, and that status | the same |
/// | `!` | the same line, then the process exits with that status | panics with the error's text |
/// | `Result<_, E>` where `E: From<pidfile::Error>` | `Err` | the same |
///
/// Every other type needs an implementation, or `on_error` in the attribute.
///
/// # Examples
///
/// ```
/// use pidfile::FromAcquireError;
///
/// #[derive(Debug, PartialEq)]
/// enum Outcome {
///     Done,
///     Busy,
///     Broken,
/// }
///
/// impl FromAcquireError for Outcome {
///     fn from_acquire_error(error: pidfile::Error) -> Outcome {
///         if error.is_running() { Outcome::Busy } else { Outcome::Broken }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a function returning `{Self}` cannot report that its pidfile was not acquired",
    label = "has no way to report it",
    note = "return `Result<_, E>` with `E: From<pidfile::Error>`, `ExitCode` or nothing",
    note = "or say what to return instead: `#[pidfile(.., on_error = |error| ..)]`"
)]
pub trait FromAcquireError: Sized {
    /// What the function returns instead of running its body.
    fn from_acquire_error(error: Error) -> Self;

    /// The same in `main`, where the program may be ended.
    #[doc(hidden)]
    #[must_use]
    fn from_acquire_error_in_main(error: Error) -> Self {
        Self::from_acquire_error(error)
    }
}

/// Nothing can be returned, so the caller must not go on as if all were well.
impl FromAcquireError for () {
    /// # Panics
    ///
    /// Always, with the error's text.
    #[track_caller]
    fn from_acquire_error(error: Error) {
        private::panic(error)
    }

    fn from_acquire_error_in_main(error: Error) {
        private::exit(error)
    }
}

/// A line on stderr says what the status cannot.
impl FromAcquireError for ExitCode {
    fn from_acquire_error(error: Error) -> ExitCode {
        private::report(&error);
        ExitCode::from(error.exit_code())
    }
}

/// The error is converted as `?` would convert it.
impl<T, E: From<Error>> FromAcquireError for Result<T, E> {
    fn from_acquire_error(error: Error) -> Result<T, E> {
        Err(E::from(error))
    }
}
