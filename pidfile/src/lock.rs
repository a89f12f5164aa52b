//! Lock an open file, and read it: who has its lock, and whom does it name?
//!
//! A name is only trusted while the lock of the file it means is held: whoever
//! holds that lock is the only one that may remove or replace the name.
//!
//! Readers lock, too: a status probe and `pgrep -L` take the lock for an instant.
//! Refused by a reader, we try again for a moment; refused by a holder, we find
//! out which process it is.

use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

use crate::action::Action;
use crate::error::Result;
use crate::lockers;
use crate::open::Found;
use crate::record::{self, Record};
use crate::retries::{MOMENT, READERS, Retries};
use crate::sys::{self, LockKind};
use crate::target::Target;

/// Before a record without a newline is read again.
const HALF_WRITTEN: Duration = Duration::from_millis(5);

/// What came of an attempt to lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TryLock {
    Locked,
    /// A process has it; which one, if that is certain.
    Held(Option<u32>),
    /// The name means another file by now, or none.
    Moved,
}

/// Why a lock was not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// Shared locks only, which no holder of ours has; the process that set one with fcntl.
    Readers(Option<u32>),
    /// An exclusive lock that was set with fcntl or lockf, and by which process.
    RecordLock(Option<u32>),
    /// An exclusive flock: a holder's, or that of a starter which is judging the file.
    Exclusive,
}

impl Found {
    /// Tries to lock the file, in competition with holders and readers.
    pub(crate) fn lock(&self, target: &Target, kind: LockKind) -> Result<TryLock> {
        let mut retries = Retries::new();
        loop {
            let Some(obstacle) = self.try_lock(target, kind)? else {
                return Ok(TryLock::Locked);
            };
            if !target.names(self.id())? {
                return Ok(TryLock::Moved);
            }
            let patience = match obstacle {
                Obstacle::Readers(_) => READERS,
                Obstacle::RecordLock(pid) => return Ok(TryLock::Held(pid)),
                Obstacle::Exclusive => {
                    let recorded = self.read_once(target)?.1.pid();
                    let holder = lockers::holder(&self.file, recorded);
                    if recorded.is_some() && holder == recorded {
                        return Ok(TryLock::Held(recorded));
                    }
                    MOMENT
                }
            };
            if !retries.pause(patience) {
                return Ok(TryLock::Held(match obstacle {
                    Obstacle::Exclusive => self.unrecorded_holder(target)?,
                    Obstacle::Readers(pid) | Obstacle::RecordLock(pid) => pid,
                }));
            }
        }
    }

    /// The holder of a file that names another process. One that has not written its number yet is
    /// not named either.
    fn unrecorded_holder(&self, target: &Target) -> Result<Option<u32>> {
        Ok(match self.read_once(target)?.1 {
            Record::Empty => None,
            Record::Pid(_) | Record::Foreign(_) => lockers::holder(&self.file, None),
        })
    }

    /// Whether it is worthwhile to judge the file again: it is not locked any more, or it is not
    /// the one that has the name. Three system calls, for those who wait.
    pub(crate) fn may_be_free(&self, target: &Target) -> Result<bool> {
        let kind = if self.is_trusted {
            LockKind::Exclusive
        } else {
            LockKind::Shared
        };
        Ok(self.try_lock(target, kind)?.is_none() || !target.names(self.id())?)
    }

    /// Releases the lock, if there is one.
    pub(crate) fn unlock(&self) {
        // Ignored: a file that we have locked can be unlocked, and another one is left as it was.
        let _ = sys::flock(self.file.as_raw_fd(), LockKind::None);
    }

    /// One attempt; what is in the way, if it failed.
    fn try_lock(&self, target: &Target, kind: LockKind) -> Result<Option<Obstacle>> {
        // A peer that locks with fcntl or lockf holds the file, too. Ignored: a file system that
        // cannot be asked has no such locks.
        if let Ok(Some(lock)) = sys::record_lock(self.file.as_raw_fd()) {
            if !self.flock(target, LockKind::Shared)? {
                return Ok(Some(Obstacle::Exclusive));
            }
            self.unlock();
            return Ok(Some(if lock.exclusive {
                Obstacle::RecordLock(lock.pid)
            } else {
                Obstacle::Readers(lock.pid)
            }));
        }
        if self.flock(target, kind)? {
            return Ok(None);
        }
        // A shared lock is refused by an exclusive holder only.
        if kind == LockKind::Exclusive && self.flock(target, LockKind::Shared)? {
            self.unlock();
            return Ok(Some(Obstacle::Readers(None)));
        }
        Ok(Some(Obstacle::Exclusive))
    }

    fn flock(&self, target: &Target, kind: LockKind) -> Result<bool> {
        match sys::flock(self.file.as_raw_fd(), kind) {
            Ok(()) => Ok(true),
            Err(Errno::EWOULDBLOCK) => Ok(false),
            // NFS locks only what is open for writing.
            Err(Errno::EBADF) if self.unwritable.is_some() => Err(self.cannot_write(target)),
            Err(errno) => Err(target.cannot_lock(errno)),
        }
    }

    /// Reads the record. One without a newline may be in the middle of being written by a program
    /// that does not lock, so it is read again.
    pub(crate) fn read(&self, target: &Target) -> Result<Record> {
        let (is_complete, record) = self.read_once(target)?;
        if is_complete || !matches!(record, Record::Pid(_)) {
            return Ok(record);
        }
        thread::sleep(HALF_WRITTEN);
        Ok(self.read_once(target)?.1)
    }

    fn read_once(&self, target: &Target) -> Result<(bool, Record)> {
        let mut bytes = [0; record::MOST + 1];
        let mut length = 0;
        // A record is shorter than a block, and so is read at once; a larger file may not be.
        while length < bytes.len() {
            match self.file.read_at(&mut bytes[length..], length as u64) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(target.failed(Action::Read, source)),
            }
        }
        let bytes = &bytes[..length];
        Ok((bytes.ends_with(b"\n"), record::parse(bytes)))
    }
}
