//! A published file: what a guard and a reservation have in common, and how it
//! is given back.

use std::ffi::CString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::action::Action;
use crate::cleanup::{Armed, Outcome, Ways};
use crate::descriptor::Kept;
use crate::draft::Plan;
use crate::error::{Error, Result};
use crate::guard::Lost;
use crate::lock::Found;
use crate::log;
use crate::ownership::Ownership;
use crate::publish::Published;
use crate::sys::FileId;

/// A published file, and all that is needed to give it back or to publish it anew for another
/// process. Dropped, it is given back silently.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) path: PathBuf,
    pub(crate) name: CString,
    pub(crate) pid: u32,
    pub(crate) ownership: Ownership,
    pub(crate) lock: bool,
    pub(crate) ways: Ways,
    pub(crate) kept: Kept,
    /// `None` for a second guard in the process that holds the file, which cleans up nothing; and
    /// once it was given back.
    pub(crate) entry: Option<Armed>,
}

impl Hold {
    /// What of it is worth a line in a log.
    pub(crate) fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        f.debug_struct(name)
            .field("path", &self.path)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }

    pub(crate) fn new(plan: Plan, published: Published) -> Hold {
        let Published {
            file,
            id,
            in_place,
            entry,
        } = published;
        Hold::with(plan, in_place, file, id, Some(entry))
    }

    /// What another guard of this process holds.
    pub(crate) fn second(plan: Plan, found: Found) -> Hold {
        let id = found.id();
        Hold::with(plan, false, found.file.into(), id, None)
    }

    fn with(plan: Plan, in_place: bool, file: OwnedFd, id: FileId, entry: Option<Armed>) -> Hold {
        let Plan {
            target,
            ownership,
            pid,
            lock,
            ways,
        } = plan;
        Hold {
            path: target.path,
            name: target.name,
            pid,
            ownership,
            lock,
            ways: Ways {
                in_place,
                reserved: false,
                ..ways
            },
            kept: Kept::new(target.dir, FileId::from(&target.dir_stat), file, id),
            entry,
        }
    }

    /// Whether it is this process that cleans up, and not one that it was forked from. A second guard
    /// belongs to where its number says.
    pub(crate) fn is_owned(&self) -> bool {
        self.entry
            .as_ref()
            .map_or(self.pid == std::process::id(), Armed::is_owned)
    }

    /// Whether name and descriptor still mean our file.
    pub(crate) fn verify(&self) -> std::result::Result<(), Lost> {
        if !self.kept.is_open() {
            return Err(Lost::DescriptorClosed);
        }
        match self.kept.id_of_name(&self.name) {
            Ok(id) if id != self.kept.id() => Err(Lost::Replaced),
            Err(Errno::ENOENT) => Err(Lost::Gone),
            // Our file, or a directory that is closed to us.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Cleans up, once, if this process is the one to do it.
    pub(crate) fn give_back(&mut self) -> Result<()> {
        let Some(entry) = self.entry.take() else {
            return Ok(());
        };
        let outcome = entry.scrub();
        match outcome {
            Outcome::Removed => {
                self.kept.close_known();
                log::released(&self.path);
            }
            Outcome::Gone | Outcome::Emptied => log::released(&self.path),
            Outcome::NotOwner => {}
            Outcome::Lost => {
                let error = Error::Lost {
                    path: self.path.clone(),
                };
                log::refused(&error);
                return Err(error);
            }
            Outcome::Stuck => {
                self.kept.forget();
                let source = io::ErrorKind::TimedOut.into();
                let path = self.path.clone();
                let error = Error::Io {
                    action: Action::Remove,
                    path,
                    source,
                };
                log::refused(&error);
                return Err(error);
            }
            Outcome::Refused(errno) => {
                let path = self.path.clone();
                let error = Error::Io {
                    action: Action::Remove,
                    path,
                    source: errno.into(),
                };
                log::refused(&error);
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Who wants to know calls `release`. The descriptors that are still ours are closed next,
        // by `Kept`.
        let _ = self.give_back();
    }
}
