//! Descriptors: opened above 2 and closed on exec, and at the end closed only
//! if they are still ours.
//!
//! A guard lives as long as the program, and daemons close descriptors that
//! they do not know. So what a guard holds are numbers with a [`FileId`] each,
//! which are compared before anything is done; an `OwnedFd` whose number was
//! closed by somebody would abort a debug build, or close a stranger's file.

use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::{NixPath, libc};

use crate::sys::{self, FileId};

/// Opens a name in a directory. The descriptor is closed on exec, and is none of the three that a
/// program takes for its terminal: one that started with them closed would print into the pidfile.
pub(crate) fn open_at<Name: NixPath + ?Sized>(
    dir: impl AsFd,
    name: &Name,
    flags: OFlag,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let fd = loop {
        match openat(&dir, name, flags | OFlag::O_CLOEXEC, mode) {
            Err(Errno::EINTR) => {} // A handler of the program; NFS and FUSE may be interrupted.
            opened => break opened?,
        }
    };
    if fd.as_raw_fd() > libc::STDERR_FILENO {
        return Ok(fd);
    }
    sys::duplicate(fd.as_raw_fd())
}

/// What is left of a published file's descriptors: their numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) dir: RawFd,
    pub(crate) file: RawFd,
    /// Of `file`.
    pub(crate) id: FileId,
}

impl Held {
    /// Of a file that does not exist yet.
    pub(crate) const UNKNOWN: Held = Held {
        dir: -1,
        file: -1,
        id: FileId { dev: 0, ino: 0 },
    };

    /// The numbers of descriptors that stay with their owners.
    pub(crate) fn of(dir: &impl AsRawFd, file: &impl AsRawFd, id: FileId) -> Held {
        Held {
            dir: dir.as_raw_fd(),
            file: file.as_raw_fd(),
            id,
        }
    }

    /// Whether the descriptor still means our file.
    pub(crate) fn file_is_ours(&self) -> bool {
        sys::id_of_descriptor(self.file) == Ok(self.id)
    }
}

/// The descriptors of a guard, from its acquire to its release.
#[derive(Debug)]
pub(crate) struct Kept {
    held: Held,
    dir_id: FileId,
}

impl Kept {
    /// Takes the descriptors from their owners, for good.
    pub(crate) fn new(dir: OwnedFd, dir_id: FileId, file: OwnedFd, id: FileId) -> Kept {
        Kept {
            held: Held {
                dir: dir.into_raw_fd(),
                file: file.into_raw_fd(),
                id,
            },
            dir_id,
        }
    }

    /// Which file it is.
    pub(crate) fn id(&self) -> FileId {
        self.held.id
    }

    /// Whether both descriptors still mean what they meant.
    pub(crate) fn is_open(&self) -> bool {
        self.held.file_is_ours() && self.dir_is_ours()
    }

    fn dir_is_ours(&self) -> bool {
        sys::id_of_descriptor(self.held.dir) == Ok(self.dir_id)
    }

    /// What a name in the directory means now.
    pub(crate) fn id_of_name(&self, name: &CStr) -> Result<FileId, Errno> {
        sys::id_of_name(self.held.dir, name)
    }

    /// The file, as long as this value lives.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        sys::borrow(self.held.file, self)
    }

    /// Owned copies of directory and file, to work with.
    pub(crate) fn copy(&self) -> Result<(OwnedFd, OwnedFd), Errno> {
        Ok((
            sys::duplicate(self.held.dir)?,
            sys::duplicate(self.held.file)?,
        ))
    }

    /// Leaves both open, because somebody still uses their numbers.
    pub(crate) fn forget(&mut self) {
        self.held = Held::UNKNOWN;
    }

    /// Closes both, where both have been found to be ours a moment ago.
    pub(crate) fn close_known(&mut self) {
        sys::close(self.held.file);
        sys::close(self.held.dir);
        self.held = Held::UNKNOWN;
    }
}

impl Drop for Kept {
    /// Closes what is still ours. What is not was closed by somebody already.
    fn drop(&mut self) {
        if self.held.file == Held::UNKNOWN.file {
            return;
        }
        if self.held.file_is_ours() {
            sys::close(self.held.file);
        }
        if self.dir_is_ours() {
            sys::close(self.held.dir);
        }
    }
}
