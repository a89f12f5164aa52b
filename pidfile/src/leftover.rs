//! Remove a file of ours that was left unfinished by an adoption that was killed,
//! or by a creation that succeeded although it was reported as a failure.
//!
//! Removing it is safe only under the lock of the file that the name means, and
//! only if it still means that file once the lock is held, because by then it
//! may be the name of another process's file.

use std::ffi::CStr;
use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use crate::descriptor::open_at;
use crate::lockers;
use crate::record::{self, Record};
use crate::sys::{self, LockKind, Stat};
use crate::target::{Target, kind_of};

/// Removes the file of that name, if its record is `expected`.
///
/// Nothing else is removed: not a file that is locked or that belongs to another user.
///
/// # Errors
///
/// The system refused, and the file may still be there. It blocks no start.
pub(crate) fn remove(
    target: &Target,
    name: &CStr,
    expected: impl Fn(&Record) -> bool,
) -> nix::Result<()> {
    let file = open(target, name)?;
    let stat = sys::stat(file.as_raw_fd())?;
    if !is_trusted(&stat) || kind_of(&stat).is_some() {
        return Ok(());
    }
    match sys::flock(file.as_raw_fd(), LockKind::Exclusive) {
        Ok(()) => {}
        Err(Errno::EWOULDBLOCK) => return Ok(()),
        Err(errno) => return Err(errno),
    }
    if lockers::has_locked_twin(&file, || None)? {
        return Ok(());
    }
    if !expected(&read_file(&file)?) || target.stat_at(name)?.id != stat.id {
        return Ok(());
    }
    target.remove(name)
}

/// Whether the file is one that we may have left behind.
pub(crate) fn is_trusted(stat: &Stat) -> bool {
    stat.uid == geteuid().as_raw()
}

/// What the file of that name records.
pub(crate) fn read(target: &Target, name: &CStr) -> nix::Result<Record> {
    read_file(&open(target, name)?)
}

fn open(target: &Target, name: &CStr) -> nix::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    open_at(&target.dir, name, flags, Mode::empty()).map(File::from)
}

fn read_file(file: &File) -> nix::Result<Record> {
    let mut bytes = [0; record::MOST + 1];
    loop {
        match file.read_at(&mut bytes, 0) {
            Ok(length) => return Ok(record::parse(&bytes[..length])),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Errno::try_from(error).unwrap_or(Errno::EIO)),
        }
    }
}
