//! How a function reports that its pidfile was not acquired: by its return type
//! (`FromAcquireError`), by a panic, or by ending the process.
//!
//! The attribute sees the tokens of a return type, not the type itself. Through
//! this trait the compiler resolves aliases and picks the way to report.

use std::env;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{self, ExitCode};

use crate::{Error, Options};

/// How the return type of a function with `#[pidfile]` reports that the pidfile was not acquired.
///
/// | return type | in `main` | elsewhere |
/// |---|---|---|
/// | nothing | prints one line to stderr and exits with [`Error::exit_code`] | panics with the message |
/// | [`ExitCode`] | prints the same line and returns that status | the same as in `main` |
/// | `!` | prints the same line and exits with that status | panics with the message |
/// | `Result<_, E>` where `E: From<pidfile::Error>` | returns `Err` | the same as in `main` |
///
/// Any other type needs an implementation of this trait, or `on_error` in the attribute.
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
    label = "cannot report the failure",
    note = "return `Result<_, E>` with `E: From<pidfile::Error>`, `ExitCode` or nothing",
    note = "or say what to return instead: `#[pidfile(.., on_error = |error| ..)]`"
)]
pub trait FromAcquireError: Sized {
    /// Returns the value that the function returns instead of running its body.
    fn from_acquire_error(error: Error) -> Self;

    /// The same in `main`, where the program may be ended.
    #[doc(hidden)]
    #[must_use]
    fn from_acquire_error_in_main(error: Error) -> Self {
        Self::from_acquire_error(error)
    }
}

/// There is nothing to return, and the caller must not continue as if the function had run.
impl FromAcquireError for () {
    /// # Panics
    ///
    /// Always, with the error's message.
    #[track_caller]
    fn from_acquire_error(error: Error) {
        panic(error)
    }

    fn from_acquire_error_in_main(error: Error) {
        exit(error)
    }
}

/// Prints a line to stderr as well, because a status alone explains nothing.
impl FromAcquireError for ExitCode {
    fn from_acquire_error(error: Error) -> ExitCode {
        report(&error);
        ExitCode::from(error.exit_code())
    }
}

/// The error is converted as `?` would convert it.
#[diagnostic::do_not_recommend] // The notes of the trait are the better advice.
impl<T, E: From<Error>> FromAcquireError for Result<T, E> {
    fn from_acquire_error(error: Error) -> Result<T, E> {
        Err(E::from(error))
    }
}

/// Panics with the error's message, in a function that has no other way to report it.
///
/// # Panics
///
/// Always.
#[track_caller]
#[allow(
    clippy::needless_pass_by_value,
    reason = "the expansion passes the error by value, as to every other helper"
)]
pub fn panic(error: Error) -> ! {
    panic!("{error:#}")
}

/// [`Error::exit`] as a function, for the expansion.
pub fn exit(error: Error) -> ! {
    error.exit()
}

impl Error {
    /// Prints the error to stderr as one line, `<program>: <message>`, and exits with
    /// [`exit_code`](Error::exit_code).
    ///
    /// This is the shortest way to end a program that must not run twice. A `main` that returns the
    /// error in a `Result` exits with 1 whatever the reason, and a supervisor that restarts failed
    /// services then starts the program over and over.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let _held = pidfile::PidFile::acquire("/run/thermod.pid").unwrap_or_else(|error|
    /// error.exit());
    /// ```
    pub fn exit(self) -> ! {
        report(&self);
        let status = self.exit_code();
        drop(self);
        process::exit(status.into())
    }
}

/// Prints to stderr which process the start waits for, if stderr is a terminal. For a function
/// named `main`, unless the program set an `on_wait` of its own.
pub fn announce(options: Options) -> Options {
    match options.on_wait {
        Some(_) => options,
        None => options.on_wait(|waiting| {
            if io::stderr().is_terminal() {
                say(waiting);
            }
        }),
    }
}

fn report(error: &Error) {
    // The alternate form includes the system's error.
    say(format_args!("{error:#}"));
}

/// Writes `<program>: <text>` to stderr, in one piece so that no other line gets in between.
fn say(text: impl Display) {
    let name = env::args_os().next();
    let name = name.as_deref().map(Path::new).and_then(Path::file_name);
    let line = match name {
        Some(name) => format!("{}: {text}\n", name.to_string_lossy()),
        None => format!("{text}\n"),
    };
    // Ignored: if stderr is closed, there is nowhere to write to.
    let _ = io::stderr().write_all(line.as_bytes());
}
