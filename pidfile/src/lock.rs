//! Open and lock, two steps of the look: what has the name, and does the name
//! still mean it once it is locked?
//!
//! Nothing is created here, so a dangling link, `fs.protected_regular` or a race
//! cannot make us create a stranger's file. A name is only trusted while the
//! lock of the file it means is held: whoever holds that lock is the only one
//! who may remove or replace the name.
//!
//! Readers lock too: a status probe and `pgrep -L` take the lock for an instant.
//! Refused by a reader, we try again for a moment; refused by a holder, we say
//! who it is.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{FileStat, Mode, fstat};
use nix::unistd::{Uid, geteuid};

use crate::action::Action;
use crate::descriptor::open_at;
use crate::error::{Error, Result};
use crate::process;
use crate::record::{self, Record};
use crate::sys::{self, FileId, LockKind};
use crate::target::{Target, kind_of};

/// How long a refusal is tried again that may be that of a starter who is just judging the file.
const MOMENT: Duration = Duration::from_millis(50);
/// How long one is tried again that is a reader's for certain. Nobody holds the file then, and a
/// reader that has the lock may not get the processor for many times that long.
const READERS: Duration = Duration::from_secs(1);
/// Between two tries, and before a record without a newline is read again.
const STEP: Duration = Duration::from_millis(1);
const HALF_WRITTEN: Duration = Duration::from_millis(5);

/// An open file that had the name when it was opened.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) file: File,
    pub(crate) stat: FileStat,
    /// Why the file was opened for reading only, if it was.
    pub(crate) unwritable: Option<Errno>,
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// For taking it over: writable if possible, and only if its owner is root, us, or this user.
    Take { owner: Option<Uid> },
    /// For looking.
    Look,
}

/// What came of an attempt to lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    Locked,
    /// Somebody has it; the process in the record, if it lives.
    Held(Option<u32>),
    /// The name means another file by now, or none.
    Moved,
}

/// Opens what has the name; `None` if there is nothing, or it went while we looked.
pub(crate) fn open(target: &Target, access: Access) -> Result<Option<Found>> {
    let Some(stat) = target.look()? else {
        return Ok(None);
    };
    check(target, &stat, access)?;
    let open = |flags| {
        // O_NONBLOCK: if it has become a FIFO meanwhile, opening must not hang.
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        open_at(&target.dir, target.name.as_c_str(), flags, Mode::empty())
    };
    let mut unwritable = None;
    let opened = match access {
        Access::Look => open(OFlag::O_RDONLY),
        Access::Take { .. } => open(OFlag::O_RDWR).or_else(|errno| match errno {
            // A lock needs no write access, and the holder is worth knowing.
            Errno::EACCES | Errno::EPERM | Errno::EROFS => {
                unwritable = Some(errno);
                open(OFlag::O_RDONLY)
            }
            _ => Err(errno),
        }),
    };
    let file = match opened {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) if is_symlink(errno) => {
            return Err(target.not_a_pidfile("it is a symbolic link"));
        }
        Err(errno) => return Err(target.cannot(Action::Open, unwritable.unwrap_or(errno))),
    };
    // Once more, by the descriptor: the name may have changed its meaning between the two.
    let stat = fstat(&file).map_err(|errno| target.cannot(Action::Inspect, errno))?;
    check(target, &stat, access)?;
    Ok(Some(Found {
        file,
        stat,
        unwritable,
    }))
}

/// What `O_NOFOLLOW` says of a symbolic link: ELOOP, on FreeBSD EMLINK, on NetBSD EFTYPE.
fn is_symlink(errno: Errno) -> bool {
    #[cfg(target_os = "netbsd")]
    if errno == Errno::EFTYPE {
        return true;
    }
    matches!(errno, Errno::ELOOP | Errno::EMLINK)
}

fn check(target: &Target, stat: &FileStat, access: Access) -> Result<()> {
    if let Some(kind) = kind_of(stat) {
        return Err(target.not_a_pidfile(kind));
    }
    let Access::Take { owner } = access else {
        return Ok(());
    };
    let us = geteuid();
    let trusted = stat.st_uid == 0
        || stat.st_uid == us.as_raw()
        || owner.is_some_and(|owner| stat.st_uid == owner.as_raw())
        // Somebody whom root let write here: a daemon's file from before it got its own user.
        || us.is_root() && target.is_roots_alone();
    if !trusted {
        return Err(target.insecure(format!(
            "it belongs to user {}; remove it, or use a directory that others cannot write",
            stat.st_uid
        )));
    }
    Ok(())
}

impl Found {
    /// A file that this process shares the lock of, since before a fork.
    pub(crate) fn inherited(file: OwnedFd) -> std::result::Result<Found, Errno> {
        let stat = fstat(&file)?;
        Ok(Found {
            file: file.into(),
            stat,
            unwritable: None,
        })
    }

    pub(crate) fn id(&self) -> FileId {
        FileId::from(&self.stat)
    }

    /// Tries to lock the file, in competition with holders and readers.
    pub(crate) fn lock(&self, target: &Target, kind: LockKind) -> Result<Attempt> {
        let begun = Instant::now();
        loop {
            if self.try_lock(target, kind)? {
                return Ok(Attempt::Locked);
            }
            if !target.names(self.id())? {
                return Ok(Attempt::Moved);
            }
            // A shared lock is refused by an exclusive holder only.
            let only_readers =
                kind == LockKind::Exclusive && self.try_lock(target, LockKind::Shared)?;
            let patience = if only_readers {
                self.unlock();
                READERS
            } else if let Some(pid) = self.living_holder(target)? {
                return Ok(Attempt::Held(Some(pid)));
            } else {
                MOMENT
            };
            if begun.elapsed() >= patience {
                return Ok(Attempt::Held(None));
            }
            thread::sleep(STEP);
        }
    }

    /// Whether it is worth while to judge the file again: it is not locked any more, or it is not
    /// the one that has the name. Two system calls, for those who wait.
    pub(crate) fn may_be_free(&self, target: &Target) -> Result<bool> {
        Ok(self.try_lock(target, LockKind::Exclusive)? || !target.names(self.id())?)
    }

    /// Gives the lock back, if there is one.
    pub(crate) fn unlock(&self) {
        // Ignored: what we have locked can be unlocked, and what we have not is as it was.
        let _ = sys::flock(self.file.as_raw_fd(), LockKind::None);
    }

    fn try_lock(&self, target: &Target, kind: LockKind) -> Result<bool> {
        match sys::flock(self.file.as_raw_fd(), kind) {
            Ok(()) => Ok(true),
            Err(Errno::EWOULDBLOCK) => Ok(false),
            // NFS locks only what is open for writing.
            Err(Errno::EBADF) if self.unwritable.is_some() => Err(self.cannot_write(target)),
            Err(errno) => Err(target.cannot_lock(errno)),
        }
    }

    /// Why the file could not be opened for writing.
    pub(crate) fn cannot_write(&self, target: &Target) -> Error {
        target.cannot(Action::Open, self.unwritable.unwrap_or(Errno::EACCES))
    }

    fn living_holder(&self, target: &Target) -> Result<Option<u32>> {
        Ok(self
            .read_once(target)?
            .1
            .pid()
            .filter(|pid| process::is_alive(*pid)))
    }

    /// Reads the record. One without a newline may be in the middle of being written by a program
    /// that does not lock, so it is read again.
    pub(crate) fn read(&self, target: &Target) -> Result<Record> {
        let (complete, record) = self.read_once(target)?;
        if complete || !matches!(record, Record::Pid(_)) {
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
