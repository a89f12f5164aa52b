//! Open what has the name.
//!
//! Nothing is created here, so a dangling link, `fs.protected_regular` or a race
//! cannot make us create a file for a stranger. A stranger's file is opened all
//! the same, for reading: whether it is held is worth knowing before it is
//! refused.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
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
    /// Taking it over, if it belongs to root, to us, or to this user.
    Take { owner: Option<Uid> },
    /// Looking.
    Look,
}

/// Opens what has the name; `None` if there is nothing, or if it went meanwhile.
pub(crate) fn open(target: &Target, access: Access) -> Result<Option<Found>> {
    let mut retries = Retries::new();
    loop {
        match try_open(target, access) {
            // A file lease is being broken: its holder has been asked to give it up.
            Err(Error::Io {
                action: Action::Open,
                source,
                ..
            }) if source.kind() == ErrorKind::WouldBlock => {
                if !retries.pause(READERS) {
                    return Err(target.contended());
                }
            }
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
        // O_NONBLOCK: if it has become a FIFO meanwhile, opening must not hang.
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
        Err(Errno::ENOENT | Errno::ESTALE) => return Ok(None),
        Err(errno) if is_symlink(errno) => {
            return Err(target.not_a_pidfile("it is a symbolic link"));
        }
        Err(Errno::EACCES | Errno::EPERM) if !is_trusted => {
            return Err(strangers(target, &stat, Asked::InVain));
        }
        Err(errno) => return Err(target.cannot(Action::Open, unwritable.unwrap_or(errno))),
    };
    // Once more, by the descriptor: the name may have changed its meaning between the two.
    let stat = match sys::stat(file.as_raw_fd()) {
        // Some FUSE file systems, and NFS, ask for the name or the server's file, which is gone.
        Err(Errno::ENOENT | Errno::ESTALE) => return Ok(None),
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

/// The error of `O_NOFOLLOW` for a symbolic link: ELOOP, on FreeBSD EMLINK, on NetBSD EFTYPE.
fn is_symlink(errno: Errno) -> bool {
    #[cfg(target_os = "netbsd")]
    if errno == Errno::EFTYPE {
        return true;
    }
    matches!(errno, Errno::ELOOP | Errno::EMLINK)
}

/// Makes sure that it is a regular file. Returns whether its owner is one that we take files from.
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
        // A user that root let write here: a daemon's file from before it got its own user.
        || us.is_root() && target.is_roots_alone())
}

/// Whether the lock of a stranger's file could be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Free,
    InVain,
}

fn strangers(target: &Target, stat: &Stat, asked: Asked) -> Error {
    let user = process::user_name(Uid::from_raw(stat.uid));
    let state = match asked {
        Asked::Free => "no process holds it",
        Asked::InVain => "we may not ask whether it is held",
    };
    target.insecure(format!(
        "it belongs to user {user}, and {state}; remove it, or use a directory that other users cannot write"
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

    /// Why a file that is free is not taken over, if its owner is the reason.
    pub(crate) fn refusal_of_owner(&self, target: &Target) -> Option<Error> {
        (!self.is_trusted).then(|| strangers(target, &self.stat, Asked::Free))
    }

    /// Why the file could not be opened for writing.
    pub(crate) fn cannot_write(&self, target: &Target) -> Error {
        target.cannot(Action::Open, self.unwritable.unwrap_or(Errno::EACCES))
    }
}
