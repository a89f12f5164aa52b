//! How a function reports that it did not get its pidfile: by its return type
//! (`FromAcquireError`), by a panic, or by ending the process.
//!
//! The attribute knows the tokens of a return type, not the type. Through this
//! trait the compiler tells it what the type can express, behind every alias.

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
        panic(error)
    }

    fn from_acquire_error_in_main(error: Error) {
        exit(error)
    }
}

/// A line on stderr adds what the status cannot express.
impl FromAcquireError for ExitCode {
    fn from_acquire_error(error: Error) -> ExitCode {
        report(&error);
        ExitCode::from(error.exit_code())
    }
}

/// The error is converted as `?` would convert it.
#[diagnostic::do_not_recommend] // what is said of the result says what to do
impl<T, E: From<Error>> FromAcquireError for Result<T, E> {
    fn from_acquire_error(error: Error) -> Result<T, E> {
        Err(E::from(error))
    }
}

/// Fails in a function that has no other way to report it.
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

/// [`Error::exit`] as a function, for the expansion.
pub fn exit(error: Error) -> ! {
    error.exit()
}

impl Error {
    /// Reports the error in one line on stderr, `<program>: <message>`, and exits with
    /// [`exit_code`](Error::exit_code).
    ///
    /// This is the shortest way to end a program that must not run twice: a `main` that returns the
    /// error as a `Result` exits with 1 whatever the reason was, and a supervisor that restarts
    /// failed services then starts it again and again.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// let _held = pidfile::PidFile::acquire("/run/thermod.pid").unwrap_or_else(|error| error.exit());
    /// ```
    pub fn exit(self) -> ! {
        report(&self);
        let status = self.exit_code();
        drop(self);
        process::exit(status.into())
    }
}

/// Reports on stderr whom the start waits for, if a person is there to read it. For a function named
/// `main`, unless the program has a notice of its own.
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
    // The alternate form has the cause, too.
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
