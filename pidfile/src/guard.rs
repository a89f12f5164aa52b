//! `PidFile`: what you hold while you run.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::error::Result;
use crate::hold::Hold;
use crate::options::Options;
use crate::reservation::Reservation;

/// A held pidfile: as long as this value lives, and nobody removes the file by force, nobody else
/// acquires the same path.
///
/// Dropping it gives the file back: the file is removed and the lock released, silently. The same
/// happens when the process exits or is ended by SIGTERM, SIGINT, SIGHUP or SIGQUIT while it is
/// held; see [`Options::at_exit`] and [`Options::signals`].
///
/// Only the process that acquired it cleans up. In a forked child the guard closes the child's
/// descriptors, and leaves the file and the lock alone.
///
/// Through [`AsFd`] the locked file can be inspected, and its lock can be passed to a child that
/// shall keep it. Do not unlock or close it: the lock *is* the promise.
#[must_use = "the pidfile is given back as soon as the guard is dropped; `let _ =` drops it at once"]
pub struct PidFile {
    hold: Hold,
}

/// How a held pidfile was lost: the answer of [`PidFile::verify`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lost {
    /// Somebody removed the file: a second instance may start at any moment.
    Gone,
    /// The name means another file now: a second instance may be running.
    Replaced,
    /// Somebody closed our descriptor, and the lock went with it.
    DescriptorClosed,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lost::Gone => "the pidfile was removed by somebody else",
            Lost::Replaced => "the pidfile was replaced by somebody else",
            Lost::DescriptorClosed => "the descriptor of the pidfile was closed by somebody else",
        })
    }
}

impl std::error::Error for Lost {}

impl fmt::Debug for PidFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hold.describe(f, "PidFile")
    }
}

impl PidFile {
    /// Acquires the pidfile at `path` with all defaults.
    ///
    /// # Errors
    ///
    /// As [`Options::acquire`].
    pub fn acquire(path: impl AsRef<Path>) -> Result<PidFile> {
        PidFile::options().path(path).acquire()
    }

    /// Chooses how to acquire: the same as [`Options::new`].
    pub fn options() -> Options {
        Options::new()
    }

    pub(crate) fn new(hold: Hold) -> PidFile {
        PidFile { hold }
    }

    /// The absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.hold.path
    }

    /// The process that holds the file, as it is recorded in it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.hold.pid
    }

    /// Asks whether the name still means our file, and our descriptor too: for a health check. A
    /// daemon that gets an error should end, or its next instance may run beside it.
    ///
    /// After privileges were dropped the directory may be closed to us; what cannot be looked at is
    /// not reported as lost.
    ///
    /// # Errors
    ///
    /// [`Lost`] says what happened to it.
    pub fn verify(&self) -> std::result::Result<(), Lost> {
        self.hold.verify()
    }

    /// Gives the file back, and reports what dropping the guard would swallow.
    ///
    /// The file is removed. Where that is refused, because privileges were dropped or because it
    /// was written in place, it is emptied and unlocked instead, which is as good: an empty file
    /// is stale. A file that somebody has removed already is a success too. In a forked child this
    /// does nothing to the file.
    ///
    /// # Errors
    ///
    /// - [`Lost`](crate::Error::Lost): the name means another file now, or somebody closed our
    ///   descriptor. What is there was left alone; another instance may be running.
    /// - [`Io`](crate::Error::Io): the file could be neither removed nor emptied. It is stale all the same
    ///   as soon as this returns.
    pub fn release(mut self) -> Result<()> {
        self.hold.give_back()
    }

    /// Turns the guard into a reservation, for a process that forks later: the child
    /// [adopts](Reservation::adopt) it, and this process forgets it or ends with `_exit` or
    /// `std::process::exit`.
    ///
    /// From here on neither an exit nor a signal removes the file.
    pub fn hand_over(self) -> Reservation {
        Reservation::new(self.hold)
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hold.kept.file()
    }
}
