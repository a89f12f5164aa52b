//! Open what has the name.
//!
//! Nothing is created here, so neither a dangling link nor a race can make us
//! create a file for another user, and `fs.protected_regular` does not apply.
//! Another user's file is opened too, for reading: whether it is held is worth
//! knowing before it is refused.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd::{Uid, geteuid};

use crate::action::Action;
use crate::descriptor::open_at;
use crate::error::{Error, Result};
use crate::process;
use crate::retries::{READERS, Retries};
use crate::sys::{self, FileId, Stat};
use crate::target::{Target, kind_of};

/// An open file that had the name when it was opened.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) stat: Stat,
    /// Why the file was opened for reading only, if it was.
    pub(crate) unwritable: Option<Errno>,
    /// Whether we may take the file over.
    pub(crate) is_trusted: bool,
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Taking it over, if it belongs to root, to us, or to the given user.
    Take { owner: Option<Uid> },
    /// Finding out who holds it.
    Look,
}

/// Opens what has the name; `None` if nothing does, or if it disappears meanwhile.
pub(crate) fn open(target: &Target, access: Access) -> Result<Option<Found>> {
    let mut retries = Retries::new();
    loop {
        match try_open(target, access) {
            // Another program has a lease on the file, and was just asked to give it up.
            Err(Error::Io {
                action: Action::Open,
                source,
                ..
            }) if source.kind() == ErrorKind::WouldBlock => {
                if !retries.pause(READERS) {
                    return Err(target.contended());
                }
            }
            // The file is gone, but another one may have its name.
            Err(Error::Io { source, .. })
                if source.raw_os_error() == Some(libc::ESTALE) && retries.pause(READERS) => {}
            opened => return opened,
        }
    }
}

fn try_open(target: &Target, access: Access) -> Result<Option<Found>> {
    let Some(stat) = target.stat()? else {
        return Ok(None);
    };
    let is_trusted = check(target, &stat, access)?;
    let open = |flags| {
        // O_NONBLOCK: if the name means a FIFO by now, opening it must not hang.
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        open_at(&target.dir, target.name.as_c_str(), flags, Mode::empty())
    };
    let mut unwritable = None;
    let opened = match access {
        Access::Take { .. } if is_trusted => open(OFlag::O_RDWR).or_else(|errno| match errno {
            // A lock needs no write access, and the holder is worth knowing.
            Errno::EACCES | Errno::EPERM | Errno::EROFS => {
                unwritable = Some(errno);
                open(OFlag::O_RDONLY)
            }
            _ => Err(errno),
        }),
        Access::Take { .. } | Access::Look => open(OFlag::O_RDONLY),
    };
    let file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) if is_symlink(errno) => {
            return Err(target.not_a_pidfile("it is a symbolic link"));
        }
        // Only a start cares whose file it is.
        Err(Errno::EACCES | Errno::EPERM) if !is_trusted && access != Access::Look => {
            return Err(strangers(target, &stat, Asked::InVain));
        }
        Err(errno) => return Err(target.cannot(Action::Open, unwritable.unwrap_or(errno))),
    };
    // Checked again by the descriptor: the name may have changed its meaning in between.
    let stat = match sys::stat(file.as_raw_fd()) {
        // Some FUSE file systems ask for the name, which is gone. NFS asks for the server's file.
        Err(Errno::ENOENT) => return Err(target.cannot(Action::Inspect, Errno::ESTALE)),
        stat => stat.map_err(|errno| target.cannot(Action::Inspect, errno))?,
    };
    let is_trusted = check(target, &stat, access)?;
    Ok(Some(Found {
        file,
        stat,
        unwritable,
        is_trusted,
    }))
}

/// Whether this is the error of `O_NOFOLLOW` for a symbolic link: ELOOP, on FreeBSD EMLINK, on
/// NetBSD EFTYPE.
fn is_symlink(errno: Errno) -> bool {
    #[cfg(target_os = "netbsd")]
    if errno == Errno::EFTYPE {
        return true;
    }
    matches!(errno, Errno::ELOOP | Errno::EMLINK)
}

/// Makes sure that it is a regular file. Returns whether its owner is one whose files we take over.
fn check(target: &Target, stat: &Stat, access: Access) -> Result<bool> {
    if let Some(kind) = kind_of(stat) {
        return Err(target.not_a_pidfile(kind));
    }
    let Access::Take { owner } = access else {
        return Ok(false);
    };
    let us = geteuid();
    Ok(stat.uid == 0
        || stat.uid == us.as_raw()
        || owner.is_some_and(|owner| stat.uid == owner.as_raw())
        // Only root can have put a file into this directory, whoever owns the file.
        || us.is_root() && target.is_roots_alone())
}

/// Whether the lock of another user's file could be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Free,
    InVain,
}

fn strangers(target: &Target, stat: &Stat, asked: Asked) -> Error {
    let user = process::user_name(Uid::from_raw(stat.uid));
    let state = match asked {
        Asked::Free => "no process holds it",
        Asked::InVain => "this user may not check whether it is held",
    };
    target.insecure(format!(
        "it belongs to user {user}, and {state}; remove it, or use a directory that other users cannot write to"
    ))
}

impl Found {
    /// A file whose lock this process has shared since before a fork.
    pub(crate) fn inherited(file: OwnedFd) -> nix::Result<Found> {
        let stat = sys::stat(file.as_raw_fd())?;
        Ok(Found {
            file: file.into(),
            stat,
            unwritable: None,
            is_trusted: true,
        })
    }

    pub(crate) fn id(&self) -> FileId {
        self.stat.id
    }

    /// The error for a stale file that is not taken over because of its owner, if that is so.
    pub(crate) fn refusal_of_owner(&self, target: &Target) -> Option<Error> {
        (!self.is_trusted).then(|| strangers(target, &self.stat, Asked::Free))
    }

    /// The error for a file that could not be opened for writing.
    pub(crate) fn cannot_write(&self, target: &Target) -> Error {
        target.cannot(Action::Open, self.unwritable.unwrap_or(Errno::EACCES))
    }
}
