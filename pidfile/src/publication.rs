//! The result of publishing, and its two steps that do not depend on how the
//! name is created: the stale file is removed, and the entry is armed.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use crate::cleanup::{Armed, Publishing};
use crate::draft::{Draft, Finished};
use crate::error::Error;
use crate::open::Found;
use crate::sys::FileId;
use crate::target::Target;

/// A file under its name, and the registry's entry for it.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) file: OwnedFd,
    pub(crate) id: FileId,
    pub(crate) entry: Armed,
}

/// The result of trying to publish.
#[derive(Debug)]
pub(crate) enum Publication {
    Published(Published),
    /// Another file has the name. The draft is kept for the next attempt.
    Taken(Draft),
    /// No file can be created, or the stale one cannot be removed. The stale file, if there was
    /// one, is still there, and we still have it locked.
    Refused(Error, Option<Found>),
}

impl Finished {
    /// Completes the publication: the name is ours.
    pub(crate) fn published(self, publishing: Publishing) -> Published {
        Published {
            file: self.file.into(),
            id: self.id,
            entry: publishing.armed(),
        }
    }
}

/// Removes the stale file, if there is one. Returns `false` if another file has the name by now.
///
/// The caller has its lock. The name is compared right before the removal, so a file that took the
/// name without the lock is left alone.
pub(crate) fn make_way(target: &Target, stale: Option<&Found>) -> nix::Result<bool> {
    let Some(stale) = stale else {
        return Ok(true);
    };
    match target.stat_at(&target.name) {
        Ok(stat) if stat.id != stale.id() => Ok(false),
        Err(Errno::ENOENT) => Ok(true),
        Err(errno) => Err(errno),
        Ok(_) => target.remove(&target.name).map(|()| true),
    }
}
