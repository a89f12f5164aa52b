//! `PidFile`: the guard, which holds the file as long as it lives.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use crate::error::Result;
use crate::hold::{Hold, Lost};
use crate::options::Options;

/// A held pidfile. As long as this value lives and the file is not removed, no other process can
/// acquire the same path.
///
/// Dropping it removes the file and releases the lock. Errors are ignored;
/// [`release`](PidFile::release) reports them. The file is also removed when the process exits, or
/// is ended by SIGTERM, SIGINT, SIGHUP or SIGQUIT, while it holds the file; see
/// [`Options::at_exit`] and [`Options::signals`].
///
/// Keep it in a variable. `let _ = PidFile::acquire(..)?`, `PidFile::acquire(..).is_err()` and
/// `if let Err(error) = PidFile::acquire(..)` compile without a warning, but drop the guard at
/// once, and the program runs on without holding anything.
///
/// Only the process that acquired the file cleans up. In a forked child, dropping the guard closes
/// the child's descriptors and leaves the file and the lock alone.
///
/// Through [`AsFd`] the locked file can be inspected, and its lock can be passed to a child that is
/// to keep it. Do not unlock or close it.
#[must_use = "the pidfile is released as soon as the guard is dropped, and `let _ =` drops it at once"]
pub struct PidFile {
    pub(crate) hold: Hold,
}

impl fmt::Debug for PidFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hold.describe(f, "PidFile")
    }
}

impl PidFile {
    /// Acquires the pidfile at `path`, with default options.
    ///
    /// # Errors
    ///
    /// The same as for [`Options::acquire`].
    pub fn acquire(path: impl AsRef<Path>) -> Result<PidFile> {
        PidFile::options().path(path).acquire()
    }

    /// Returns the default [`Options`], the same as [`Options::new`].
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

    /// The id of the process that holds the file, as recorded in it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.hold.terms.pid
    }

    /// Checks that the path still leads to the acquired file, that the record still names this
    /// process, and that the guard's descriptors are still open.
    ///
    /// Call this from a health check. A daemon that gets an error should exit, because another
    /// instance may start beside it.
    ///
    /// What cannot be checked is not reported as lost. For instance, the directory may be
    /// unreadable after privileges were dropped. After a `chroot` the path means something else, so
    /// only the name in the original directory is checked.
    ///
    /// # Errors
    ///
    /// [`Lost`] describes what happened to the file.
    pub fn verify(&self) -> std::result::Result<(), Lost> {
        self.hold.verify()
    }

    /// Releases the pidfile, and reports errors that dropping the guard would ignore.
    ///
    /// The file is removed. If it was written in place, or cannot be removed because privileges
    /// were dropped, it is emptied and unlocked instead. That serves as well, because an empty file
    /// is stale. It is not an error if the file has already been removed. In a forked child this
    /// does nothing to the file.
    ///
    /// # Errors
    ///
    /// - [`Lost`](crate::Error::Lost): the path names another file now, which was left alone, or
    ///   the program has closed the guard's descriptor. Another instance may be running.
    /// - [`Io`](crate::Error::Io): the file could be neither removed nor emptied. It is stale
    ///   nevertheless once this returns.
    pub fn release(mut self) -> Result<()> {
        self.hold.release()
    }
}

impl AsFd for PidFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hold.descriptors.file()
    }
}
