//! Lock an open file and read it: which process has its lock, and which process
//! it names.
//!
//! A name is trusted only while the lock of the file that it means is held,
//! because only the process that holds that lock may remove or replace the
//! name.
//!
//! Readers lock too: a status check and `pgrep -L` take the lock for an
//! instant. A lock that is refused because of a reader is tried again for a
//! moment. If it is refused because of a holder, we find out which process that
//! is.

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

/// How long to wait before a record without a newline is read again.
const HALF_WRITTEN: Duration = Duration::from_millis(5);

/// The result of trying to lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TryLock {
    Locked,
    /// Another process has the lock; its id, if that is certain.
    Held(Option<u32>),
    /// The name means another file by now, or none.
    Moved,
}

/// Why a lock was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Obstacle {
    /// Shared locks only, which no holder of ours has; the process that set one with fcntl.
    Readers(Option<u32>),
    /// An exclusive lock that was set with fcntl or lockf; the process that set it, if it is known.
    RecordLock(Option<u32>),
    /// An exclusive flock: that of a holder, or of a start that is judging the file.
    Exclusive,
}

impl Found {
    /// Tries to lock the file, in competition with holders and readers.
    pub(crate) fn lock(&self, target: &Target, kind: LockKind) -> Result<TryLock> {
        let mut retries = Retries::new();
        let mut asked = None;
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
                    // Asked once for each record: the answer may come from the list of all locks.
                    if recorded != asked {
                        asked = recorded;
                        if recorded.is_some_and(|pid| lockers::has_lock(&self.file, pid)) {
                            return Ok(TryLock::Held(recorded));
                        }
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

    /// The holder of a file that names another process. If the file is empty, the holder may still
    /// be about to write its id, and is not named.
    fn unrecorded_holder(&self, target: &Target) -> Result<Option<u32>> {
        Ok(match self.read_once(target)?.1 {
            Record::Empty => None,
            Record::Pid(_) | Record::Foreign(_) => lockers::holder(&self.file, None),
        })
    }

    /// Whether it is worth judging the file again, because it is no longer locked or no longer has
    /// the name. Waiters call this often, so it makes only a few system calls.
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
        // Ignored: a file that we have locked can be unlocked, and for any other this does nothing.
        let _ = sys::flock(self.file.as_raw_fd(), LockKind::None);
    }

    /// Tries once; returns what is in the way, if it fails.
    fn try_lock(&self, target: &Target, kind: LockKind) -> Result<Option<Obstacle>> {
        // A peer that locks with fcntl or lockf holds the file too. An error is ignored: a file
        // system that cannot answer has no such locks.
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
            let recorded = || self.read_once(target).ok()?.1.pid();
            return match lockers::has_locked_twin(&self.file, recorded) {
                Ok(false) => Ok(None),
                twin => {
                    self.unlock();
                    twin.map(|_| Some(Obstacle::Exclusive))
                        .map_err(|errno| target.cannot(Action::Lock, errno))
                }
            };
        }
        // A shared lock is refused only because of an exclusive one.
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
        // A record is shorter than a block, so one call reads it; a larger file may take more.
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
