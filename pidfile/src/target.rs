//! The place, opened: a directory's descriptor and one name in it. Every later
//! step works on a target, with `*at` calls only.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::Uid;

use crate::action::Action;
use crate::directory;
use crate::error::{Error, Result};
use crate::path::Place;
use crate::process;
use crate::sys::{self, FileId, Stat};

/// Where the file is looked up and published.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) dir: OwnedFd,
    pub(crate) dir_stat: Stat,
    pub(crate) name: CString,
    pub(crate) path: PathBuf,
}

impl Target {
    /// Opens the place, and creates its directory if that is allowed.
    pub(crate) fn open_or_make(place: Place) -> Result<Target> {
        let dir = place.directory.open_or_make()?;
        Target::new(place, dir)
    }

    /// Opens the place, and creates nothing.
    fn open(place: Place) -> Result<Target> {
        let dir = place.directory.open()?;
        Target::new(place, dir)
    }

    /// The same; `None` if there is no such directory.
    pub(crate) fn open_if_there(place: Place) -> Result<Option<Target>> {
        match Target::open(place) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// The same directory and name again, from a directory descriptor that was kept.
    pub(crate) fn reopened(dir: OwnedFd, name: CString, path: PathBuf) -> Result<Target> {
        match sys::stat(dir.as_raw_fd()) {
            Ok(dir_stat) => Ok(Target {
                dir,
                dir_stat,
                name,
                path,
            }),
            Err(errno) => Err(Error::io(Action::Inspect, &path, errno)),
        }
    }

    fn new(place: Place, dir: OwnedFd) -> Result<Target> {
        let (path, name) = place.into_path_and_name();
        Target::reopened(dir, name, path)
    }

    /// The metadata of what has the name now, without following it.
    pub(crate) fn stat(&self) -> Result<Option<Stat>> {
        match self.stat_at(&self.name) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(self.cannot(Action::Inspect, errno)),
        }
    }

    /// The metadata of what has a name in the directory, without following it.
    pub(crate) fn stat_at(&self, name: &CStr) -> nix::Result<Stat> {
        sys::stat_at(self.dir.as_raw_fd(), name)
    }

    /// Whether the name means that file now. The link count would not show it, because the file may
    /// have another hard link.
    pub(crate) fn names(&self, id: FileId) -> Result<bool> {
        Ok(self.stat()?.is_some_and(|stat| stat.id == id))
    }

    /// Whether a name is known to mean that file. Used after a call that reported a failure, which
    /// may have succeeded nevertheless.
    pub(crate) fn is_named(&self, name: &CStr, id: FileId) -> bool {
        self.stat_at(name).is_ok_and(|stat| stat.id == id)
    }

    /// Removes a name, which may already be gone.
    pub(crate) fn remove(&self, name: &CStr) -> nix::Result<()> {
        match sys::unlink(self.dir.as_raw_fd(), name) {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            // A call may succeed and yet report a failure, if a server's reply is lost.
            Err(_) if self.stat_at(name).err() == Some(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Removes a name of ours that must not stay. A failure may be temporary, so it is tried again.
    pub(crate) fn remove_litter(&self, name: &CStr, id: FileId) {
        const TRIES: usize = 3;
        for _ in 0..TRIES {
            match self.stat_at(name) {
                Ok(stat) if stat.id != id => return,
                Err(Errno::ENOENT) => return,
                Ok(_) | Err(_) => {}
            }
            if self.remove(name).is_ok() {
                return;
            }
        }
    }

    /// Whether only root decides what is in the directory.
    pub(crate) fn is_roots_alone(&self) -> bool {
        self.dir_stat.uid == 0 && directory::is_private(&self.dir_stat)
    }

    pub(crate) fn cannot(&self, action: Action, errno: Errno) -> Error {
        self.failed(action, errno.into())
    }

    pub(crate) fn failed(&self, action: Action, source: io::Error) -> Error {
        Error::io(action, &self.path, source).advise(|source| self.advice(action, source))
    }

    /// What to do about a failure.
    fn advice(&self, action: Action, source: &io::Error) -> Option<String> {
        let is_about_directory =
            matches!(action, Action::Create | Action::Publish | Action::Replace);
        match source.raw_os_error()? {
            libc::EACCES | libc::EPERM if is_about_directory => Some(format!(
                "its directory belongs to user {} and has mode {:o}; run as that user, or use another directory",
                process::user_name(Uid::from_raw(self.dir_stat.uid)),
                self.dir_stat.permissions()
            )),
            libc::EROFS => Some("the file system is read-only; use another directory".into()),
            libc::ENOSPC | libc::EDQUOT => Some("free some space, or use another directory".into()),
            _ => None,
        }
    }

    pub(crate) fn not_a_pidfile(&self, why: impl Into<String>) -> Error {
        Error::not_a_pidfile(&self.path, why)
    }

    pub(crate) fn insecure(&self, why: impl Into<String>) -> Error {
        Error::insecure(&self.path, why)
    }

    pub(crate) fn unsupported(&self) -> Error {
        Error::Unsupported {
            path: self.path.clone(),
        }
    }

    pub(crate) fn contended(&self) -> Error {
        Error::Contended {
            path: self.path.clone(),
        }
    }

    /// Why a lock failed: the file system does not support it, or something else is wrong.
    pub(crate) fn cannot_lock(&self, errno: Errno) -> Error {
        // ENOTSUP is the same number as EOPNOTSUPP on some systems only.
        let unsupported = [
            Errno::ENOLCK,
            Errno::ENOSYS,
            Errno::EOPNOTSUPP,
            Errno::ENOTSUP,
        ];
        if unsupported.contains(&errno) {
            return self.unsupported();
        }
        self.cannot(Action::Lock, errno)
    }
}

/// What a file is instead of a regular one.
pub(crate) fn kind_of(stat: &Stat) -> Option<&'static str> {
    match stat.mode & libc::S_IFMT {
        libc::S_IFREG => None,
        libc::S_IFLNK => Some("it is a symbolic link"),
        libc::S_IFDIR => Some("it is a directory"),
        libc::S_IFIFO => Some("it is a FIFO"),
        libc::S_IFSOCK => Some("it is a socket"),
        libc::S_IFCHR | libc::S_IFBLK => Some("it is a device"),
        _ => Some("it is not a regular file"),
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;
    use crate::{Options, path};

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `openat`")]
    fn litter_is_removed_only_while_the_name_means_it() {
        let dir = env::temp_dir().join(format!("pidfile-litter-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let place = path::resolve(&Options::new().path(dir.join("it.pid"))).unwrap();
        let target = Target::open_or_make(place).unwrap();
        let [ours, theirs] = ["ours", "theirs"].map(|name| dir.join(name));
        fs::write(&ours, "").unwrap();
        fs::write(&theirs, "").unwrap();
        let id = target.stat_at(c"ours").unwrap().id;

        target.remove_litter(c"theirs", id);
        assert!(theirs.exists());
        for _ in ["there", "gone"] {
            target.remove_litter(c"ours", id);
            assert!(!ours.exists());
        }
        fs::remove_dir_all(dir).unwrap();
    }
}
