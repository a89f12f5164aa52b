//! Descriptors: opened above 2 and closed on exec, and at the end closed only
//! if they are still ours.
//!
//! A guard lives as long as the program, and daemons close descriptors that
//! they do not know. So a guard keeps numbers, each with a [`FileId`] that is
//! compared before anything is done. An `OwnedFd` whose number was closed
//! behind its back would abort a debug build, or close an unrelated file.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::{NixPath, libc};

use crate::sys::{self, FileId, LockKind, Stat};

/// Flags for every open. `O_LARGEFILE` is for 32-bit systems, where a file of more than 2 GiB
/// cannot be opened without it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const ALWAYS: OFlag = OFlag::O_CLOEXEC.union(OFlag::O_LARGEFILE);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const ALWAYS: OFlag = OFlag::O_CLOEXEC;

/// Opens a name in a directory. The descriptor is closed on exec.
pub(crate) fn open_at<Name: NixPath + ?Sized>(
    dir: impl AsFd,
    name: &Name,
    flags: OFlag,
    mode: Mode,
) -> nix::Result<OwnedFd> {
    above_standard(open_anywhere(dir, name, flags, mode)?)
}

/// Creates a file that must not exist yet, and removes it again if it cannot be used.
pub(crate) fn create_at(dir: impl AsFd, name: &CStr, mode: Mode) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
    let created = open_anywhere(&dir, name, flags, mode)?;
    above_standard(created).inspect_err(|_| {
        // The file is certainly ours, because O_EXCL created it. Ignored: the failure itself is
        // reported.
        let _ = sys::unlink(dir.as_fd().as_raw_fd(), name);
    })
}

fn open_anywhere<Name: NixPath + ?Sized>(
    dir: impl AsFd,
    name: &Name,
    flags: OFlag,
    mode: Mode,
) -> nix::Result<OwnedFd> {
    loop {
        match openat(&dir, name, flags | ALWAYS, mode) {
            Err(Errno::EINTR) => {} // A handler of the program ran; NFS and FUSE are interruptible.
            opened => return opened,
        }
    }
}

/// Moves a descriptor away from the three standard ones. A program that was started with those
/// closed would print into the pidfile.
pub(crate) fn above_standard(fd: OwnedFd) -> nix::Result<OwnedFd> {
    if fd.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(fd);
    }
    sys::duplicate(fd.as_raw_fd())
}

/// The raw descriptors of a published file, without ownership.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) dir: RawFd,
    pub(crate) file: RawFd,
    /// Of `file`.
    pub(crate) id: FileId,
}

impl Numbers {
    /// For a file that does not exist yet.
    pub(crate) const UNKNOWN: Numbers = Numbers {
        dir: -1,
        file: -1,
        id: FileId { dev: 0, ino: 0 },
    };

    /// The numbers of descriptors that stay with their owners.
    pub(crate) fn of(dir: &impl AsRawFd, file: &impl AsRawFd, id: FileId) -> Numbers {
        Numbers {
            dir: dir.as_raw_fd(),
            file: file.as_raw_fd(),
            id,
        }
    }

    /// Whether the file's descriptor was closed, or means another file now. If the system cannot
    /// say, the descriptor does not count as lost.
    pub(crate) fn file_is_lost(&self) -> bool {
        is_lost(self.file, self.id)
    }

    /// Whether another open file has the lock that ours should have.
    pub(crate) fn is_locked_by_another(&self) -> bool {
        sys::flock(self.file, LockKind::Exclusive) == Err(Errno::EWOULDBLOCK)
    }

    /// Whether the file's descriptor still has the lock. The inode is not enough to tell: since the
    /// descriptor was closed, the file system may have given its number to a new file. Only for a
    /// file that is known to be locked exclusively, through this descriptor or another one.
    pub(crate) fn has_lock(&self) -> bool {
        !self.file_is_lost() && sys::flock(self.file, LockKind::Exclusive).is_ok()
    }
}

fn is_lost(fd: RawFd, id: FileId) -> bool {
    match sys::stat(fd) {
        Ok(stat) => stat.id != id,
        Err(errno) => errno == Errno::EBADF,
    }
}

/// The descriptors of a guard, from its acquire to its release.
#[derive(Debug)]
pub(crate) struct Descriptors {
    numbers: Numbers,
    dir_id: FileId,
}

impl Descriptors {
    /// Takes over the descriptors from their owners.
    pub(crate) fn new(dir: OwnedFd, dir_id: FileId, file: OwnedFd, id: FileId) -> Descriptors {
        Descriptors {
            numbers: Numbers {
                dir: dir.into_raw_fd(),
                file: file.into_raw_fd(),
                id,
            },
            dir_id,
        }
    }

    /// Which file it is.
    pub(crate) fn id(&self) -> FileId {
        self.numbers.id
    }

    /// Whether one of them was closed, or means another file now.
    pub(crate) fn are_lost(&self) -> bool {
        self.numbers.file_is_lost() || is_lost(self.numbers.dir, self.dir_id)
    }

    /// The metadata of what has a name in the directory now.
    pub(crate) fn stat_at(&self, name: &CStr) -> nix::Result<Stat> {
        sys::stat_at(self.numbers.dir, name)
    }

    /// The file, as long as this value lives.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        sys::borrow(self.numbers.file, self)
    }

    /// The number of the file.
    pub(crate) fn file_number(&self) -> RawFd {
        self.numbers.file
    }

    /// Owned copies of directory and file, to work with.
    pub(crate) fn copy(&self) -> nix::Result<(OwnedFd, OwnedFd)> {
        Ok((
            sys::duplicate(self.numbers.dir)?,
            sys::duplicate(self.numbers.file)?,
        ))
    }

    /// Leaves both open, because another thread or another guard uses them.
    pub(crate) fn forget(&mut self) {
        self.numbers = Numbers::UNKNOWN;
    }

    /// Closes both. They were found to be ours a moment ago.
    pub(crate) fn close_known(&mut self) {
        sys::close(self.numbers.file);
        sys::close(self.numbers.dir);
        self.numbers = Numbers::UNKNOWN;
    }
}

impl Drop for Descriptors {
    /// Closes them if they are still ours. A program that closed the file's descriptor closes all
    /// that it does not know, so the directory's number may mean anything by now.
    fn drop(&mut self) {
        if self.numbers.file == Numbers::UNKNOWN.file || self.numbers.file_is_lost() {
            return;
        }
        sys::close(self.numbers.file);
        if !is_lost(self.numbers.dir, self.dir_id) {
            sys::close(self.numbers.dir);
        }
    }
}
