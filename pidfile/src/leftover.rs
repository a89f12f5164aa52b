//! Remove a file of ours that was left unfinished: by an adoption that was
//! killed, or by a creation that succeeded and was reported as a failure.
//!
//! That is only safe under the lock of the file that the name means, and only if
//! it still means that file once the lock is held: by then it may be the name of
//! another process's file.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use crate::descriptor::open_at;
use crate::record::{self, Record};
use crate::sys::{self, LockKind, Stat};
use crate::target::{Target, kind_of};

/// Removes the file of that name, if its record is `expected`.
///
/// Nothing else is removed: not a file that is locked or that belongs to another user. A failure does
/// not matter to the caller, since such a file blocks no start.
pub(crate) fn remove(target: &Target, name: &CStr, expected: impl Fn(&Record) -> bool) {
    let Ok(file) = open(target, name) else {
        return;
    };
    let Ok(stat) = sys::stat(file.as_raw_fd()) else {
        return;
    };
    if is_trusted(&stat)
        && kind_of(&stat).is_none()
        && sys::flock(file.as_raw_fd(), LockKind::Exclusive).is_ok()
        && read_file(&file).is_some_and(|record| expected(&record))
        && target.is_named(name, stat.id)
    {
        let _ = target.remove(name);
    }
}

/// Whether the file is one that we may have left.
pub(crate) fn is_trusted(stat: &Stat) -> bool {
    let us = geteuid();
    stat.uid == us.as_raw() || us.is_root() && stat.uid == 0
}

/// What the file of that name records, if it can be read.
pub(crate) fn read(target: &Target, name: &CStr) -> Option<Record> {
    read_file(&open(target, name).ok()?)
}

fn open(target: &Target, name: &CStr) -> nix::Result<File> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    open_at(&target.dir, name, flags, Mode::empty()).map(File::from)
}

fn read_file(file: &File) -> Option<Record> {
    let mut bytes = [0; record::MOST + 1];
    let length = file.read_at(&mut bytes, 0).ok()?;
    Some(record::parse(&bytes[..length]))
}
