//! `PidFile`: what you hold while you run.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::error::Result;
use crate::hold::{Hold, Lost};
use crate::options::Options;

/// A held pidfile. As long as this value lives and the file is not removed by force, no other process
/// acquires the same path.
///
/// Dropping it releases the file: the file is removed and the lock is gone, silently. The same
/// happens when the process exits or is ended by SIGTERM, SIGINT, SIGHUP or SIGQUIT while it is
/// held; see [`Options::at_exit`] and [`Options::signals`].
///
/// Keep it in a variable. `let _ = PidFile::acquire(..)?`, `PidFile::acquire(..).is_err()` and
/// `if let Err(error) = PidFile::acquire(..)` compile without a warning, and each of them drops the
/// guard at once: the program runs on and holds nothing.
///
/// Only the process that acquired it cleans up. In a forked child the guard closes the child's
/// descriptors, and leaves the file and the lock alone.
///
/// Through [`AsFd`] the locked file can be inspected, and its lock can be passed to a child that
/// is to keep it. Do not unlock or close it: the lock *is* the promise.
#[must_use = "the pidfile is released as soon as the guard is dropped; `let _ =` drops it at once"]
pub struct PidFile {
    pub(crate) hold: Hold,
}

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
        self.hold.terms.pid
    }

    /// Checks that the path still leads to our file, that the record still names this process, and
    /// that our descriptor is open: for a health check. A daemon that gets an error should end, or
    /// its next instance may run beside it.
    ///
    /// What cannot be looked at is not reported as lost: after privileges were dropped the directory
    /// may be closed to us, and after a `chroot` the path means something else, so that only the
    /// name in the original directory is compared.
    ///
    /// # Errors
    ///
    /// [`Lost`] describes what happened to the file.
    pub fn verify(&self) -> std::result::Result<(), Lost> {
        self.hold.verify()
    }

    /// Releases the file, and reports what dropping the guard would swallow.
    ///
    /// The file is removed. Where that is refused, because privileges were dropped or because it
    /// was written in place, it is emptied and unlocked instead, which is as good: an empty file
    /// is stale. It is also a success if the file was removed before. In a forked child this
    /// does nothing to the file.
    ///
    /// # Errors
    ///
    /// - [`Lost`](crate::Error::Lost): the name means another file now, or the program has closed
    ///   our descriptor. The other file was left alone; another instance may be running.
    /// - [`Io`](crate::Error::Io): the file could be neither removed nor emptied. It is stale all the
    ///   same as soon as this returns.
    pub fn release(mut self) -> Result<()> {
        self.hold.release()
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hold.descriptors.file()
    }
}
