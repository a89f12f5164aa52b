//! A file that another process has locked, seen from outside: whether it is free
//! by now, which process it names, and which process has its lock.

use std::os::fd::AsRawFd;
use std::path::Path;

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::lockers;
use crate::open::Found;
use crate::record::Record;
use crate::sys;
use crate::target::Target;
use crate::wait::Waiter;

/// An open file that was locked when it was inspected.
#[derive(Debug)]
pub(crate) struct Locked {
    target: Target,
    found: Found,
}

impl Locked {
    pub(crate) fn new(target: Target, found: Found) -> Locked {
        Locked { target, found }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.target.path
    }

    /// Whether the file is no longer locked, or the name no longer means it.
    pub(crate) fn is_free(&self) -> Result<bool> {
        let is_free = self.found.may_be_free(&self.target)?;
        self.found.unlock();
        Ok(is_free)
    }

    /// Whether the name means another file, or none.
    pub(crate) fn has_moved(&self) -> Result<bool> {
        Ok(!self.target.names(self.found.id())?)
    }

    /// The process that it names.
    ///
    /// # Errors
    ///
    /// `NotPidfile`: it contains something other than a record.
    pub(crate) fn recorded(&self) -> Result<Option<u32>> {
        match self.found.read(&self.target)? {
            Record::Foreign(why) => Err(self.target.not_a_pidfile(why)),
            Record::Empty => Ok(None),
            Record::Pid(pid) => Ok(Some(pid)),
        }
    }

    /// The process that has the lock, of whichever kind, if that is certain. `recorded`, the
    /// process that the file names, is checked first.
    pub(crate) fn locker(&self, recorded: Option<u32>) -> Option<u32> {
        match sys::record_lock(self.found.file.as_raw_fd()) {
            Ok(Some(lock)) if lock.exclusive => lock.pid,
            // A file system that cannot answer has no such locks.
            Ok(_) | Err(_) => lockers::holder(&self.found.file, recorded),
        }
    }

    /// Whether that process has the lock, of whichever kind, if that is certain.
    pub(crate) fn is_locked_by(&self, pid: u32) -> bool {
        match sys::record_lock(self.found.file.as_raw_fd()) {
            Ok(Some(lock)) if lock.exclusive => lock.pid == Some(pid),
            // A file system that cannot answer has no such locks.
            Ok(_) | Err(_) => lockers::has_lock(&self.found.file, pid),
        }
    }

    /// A process that inherited the lock from the one that set it.
    pub(crate) fn heir(&self) -> Option<u32> {
        lockers::heir(&self.found.file)
    }

    /// The error for a file that is held while no process may be signalled.
    pub(crate) fn unknown(&self) -> Result<Error> {
        let recorded = self.recorded()?;
        let locker = self.locker(recorded);
        Ok(Error::unknown_holder(self.path(), locker, recorded))
    }

    /// Sleeps until it is free. Returns `false` if the time is up first.
    pub(crate) fn wait_until_free(&self, deadline: Deadline) -> Result<bool> {
        // Checked before a sleep is prepared: usually the lock was released with the process.
        if self.is_free()? {
            return Ok(true);
        }
        Waiter::new(Some(deadline.left())).wait(&self.found, &mut || self.is_free())?;
        self.is_free()
    }
}
