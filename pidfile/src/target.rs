//! The place, opened: a directory's descriptor and one name in it. Every step
//! after this works on a target, with `*at` calls only.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::libc;
use nix::sys::stat::{FileStat, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};

use crate::action::Action;
use crate::directory;
use crate::error::{Error, Result};
use crate::path::Place;
use crate::sys::FileId;

/// Where the file is looked for and published.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) dir: OwnedFd,
    pub(crate) dir_stat: FileStat,
    pub(crate) name: CString,
    pub(crate) path: PathBuf,
}

impl Target {
    /// Opens the place, and makes its directory where that may be made.
    pub(crate) fn open_or_make(place: Place) -> Result<Target> {
        let dir = place.directory.open_or_make()?;
        Target::new(place, dir)
    }

    /// Opens the place, and makes nothing.
    pub(crate) fn open(place: Place) -> Result<Target> {
        let dir = place.directory.open()?;
        Target::new(place, dir)
    }

    /// The same directory and name again, from a descriptor that was kept.
    pub(crate) fn reopened(dir: OwnedFd, name: CString, path: PathBuf) -> Result<Target> {
        match fstat(&dir) {
            Ok(dir_stat) => Ok(Target {
                dir,
                dir_stat,
                name,
                path,
            }),
            Err(errno) => Err(Error::Io {
                action: Action::Inspect,
                path,
                source: errno.into(),
            }),
        }
    }

    fn new(place: Place, dir: OwnedFd) -> Result<Target> {
        let path = place.path();
        Target::reopened(dir, place.name, path)
    }

    /// What has the name now, without following it.
    pub(crate) fn look(&self) -> Result<Option<FileStat>> {
        match fstatat(
            &self.dir,
            self.name.as_c_str(),
            AtFlags::AT_SYMLINK_NOFOLLOW,
        ) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.cannot(Action::Inspect, errno)),
        }
    }

    /// Whether the name means that file now. A link count would not tell: a hard link defeats it.
    pub(crate) fn names(&self, id: FileId) -> Result<bool> {
        Ok(self.look()?.is_some_and(|stat| FileId::from(&stat) == id))
    }

    /// Removes a name from the directory.
    pub(crate) fn remove(&self, name: &CStr) -> std::result::Result<(), Errno> {
        unlinkat(&self.dir, name, UnlinkatFlags::NoRemoveDir)
    }

    /// Whether only root decides what is in the directory.
    pub(crate) fn is_roots_alone(&self) -> bool {
        self.dir_stat.st_uid == 0 && directory::is_private(&self.dir_stat)
    }

    pub(crate) fn cannot(&self, action: Action, errno: Errno) -> Error {
        Error::Io {
            action,
            path: self.path.clone(),
            source: errno.into(),
        }
    }

    pub(crate) fn failed(&self, action: Action, source: io::Error) -> Error {
        Error::Io {
            action,
            path: self.path.clone(),
            source,
        }
    }

    pub(crate) fn not_a_pidfile(&self, why: impl Into<String>) -> Error {
        Error::NotPidfile {
            path: self.path.clone(),
            why: why.into(),
        }
    }

    pub(crate) fn insecure(&self, why: impl Into<String>) -> Error {
        Error::Insecure {
            path: self.path.clone(),
            why: why.into(),
        }
    }

    /// The file system does not lock, or something else is wrong with it.
    pub(crate) fn cannot_lock(&self, errno: Errno) -> Error {
        // ENOTSUP has the number of EOPNOTSUPP on some systems and its own on others.
        let unsupported = [
            Errno::ENOLCK,
            Errno::ENOSYS,
            Errno::EOPNOTSUPP,
            Errno::ENOTSUP,
        ];
        if unsupported.contains(&errno) {
            return Error::Unsupported {
                path: self.path.clone(),
            };
        }
        self.cannot(Action::Lock, errno)
    }
}

/// What a file is instead of a regular one.
pub(crate) fn kind_of(stat: &FileStat) -> Option<&'static str> {
    match stat.st_mode & libc::S_IFMT {
        libc::S_IFREG => None,
        libc::S_IFLNK => Some("it is a symbolic link"),
        libc::S_IFDIR => Some("it is a directory"),
        libc::S_IFIFO => Some("it is a FIFO"),
        libc::S_IFSOCK => Some("it is a socket"),
        libc::S_IFCHR | libc::S_IFBLK => Some("it is a device"),
        _ => Some("it is no regular file"),
    }
}
