//! A published file: what a guard and a reservation have in common, and how it
//! is released.

use std::ffi::CString;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::action::Action;
use crate::cleanup::{Armed, Outcome};
use crate::descriptor::Descriptors;
use crate::directory;
use crate::error::{Error, Result};
use crate::log;
use crate::open::Found;
use crate::plan::{Plan, Terms};
use crate::publication::Published;
use crate::record::{self, Record};
use crate::sys;
use crate::target::Target;

/// A published file, and all that is needed to release it or to publish it anew for another process.
/// Dropped, it is released silently.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) path: PathBuf,
    pub(crate) name: CString,
    pub(crate) terms: Terms,
    pub(crate) descriptors: Descriptors,
    /// `None` for a second guard in the process that holds the file, which cleans up nothing; and
    /// after the release.
    pub(crate) entry: Option<Armed>,
}

/// How a held pidfile was lost: the answer of [`PidFile::verify`](crate::PidFile::verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lost {
    /// The path leads nowhere: the file was removed, or its directory was renamed or covered by a
    /// mount. A second instance may start at any moment.
    Gone,
    /// The path leads to another file. A second instance may be running.
    Replaced,
    /// Another program has written to the file. Our lock still keeps a second instance out, but the
    /// record names the wrong process.
    Overwritten,
    /// This program has closed our descriptor, and the lock went with it.
    DescriptorClosed,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lost::Gone => "the pidfile was removed by another process",
            Lost::Replaced => "the pidfile was replaced by another process",
            Lost::Overwritten => "the pidfile was overwritten by another process",
            Lost::DescriptorClosed => "the program has closed the descriptor of its pidfile",
        })
    }
}

impl std::error::Error for Lost {}

impl Hold {
    /// What of it is worth a line in a log.
    pub(crate) fn describe(&self, f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
        f.debug_struct(name)
            .field("path", &self.path)
            .field("pid", &self.terms.pid)
            .finish_non_exhaustive()
    }

    pub(crate) fn new(plan: Plan, published: Published) -> Hold {
        let Published { file, id, entry } = published;
        Hold::with(plan, file.into(), id, Some(entry))
    }

    /// What another guard of this process holds.
    pub(crate) fn second(plan: Plan, found: Found) -> Hold {
        let id = found.id();
        Hold::with(plan, found.file, id, None)
    }

    fn with(plan: Plan, file: File, id: sys::FileId, entry: Option<Armed>) -> Hold {
        let Plan { target, terms, .. } = plan;
        let Target {
            dir,
            dir_stat,
            name,
            path,
        } = target;
        Hold {
            path,
            name,
            terms,
            descriptors: Descriptors::new(dir, dir_stat.id, file.into(), id),
            entry,
        }
    }

    /// Whether it is this process that cleans up, and not one that it was forked from. A second guard
    /// belongs to the process that is recorded.
    pub(crate) fn is_owned(&self) -> bool {
        self.entry
            .as_ref()
            .map_or(self.terms.pid == sys::pid(), Armed::is_owned)
    }

    /// Whether path, name, descriptor and record are still ours.
    pub(crate) fn verify(&self) -> std::result::Result<(), Lost> {
        let is_superseded = self.entry.as_ref().is_some_and(Armed::is_superseded);
        if is_superseded || self.descriptors.are_lost() {
            return Err(Lost::DescriptorClosed);
        }
        let id = self.descriptors.id();
        match self.descriptors.stat_at(&self.name) {
            Ok(stat) if stat.id != id => return Err(Lost::Replaced),
            Err(Errno::ENOENT) => return Err(Lost::Gone),
            // Our file, or a directory that is closed to us.
            Ok(_) | Err(_) => {}
        }
        // A start comes along the path, which may have another meaning by now. After a chroot it has
        // none that could be compared.
        if !directory::is_confined() {
            match directory::stat(&self.path) {
                Ok(stat) if stat.id != id => return Err(Lost::Replaced),
                Err(Errno::ENOENT | Errno::ENOTDIR) => return Err(Lost::Gone),
                Ok(_) | Err(_) => {}
            }
        }
        self.verify_record()
    }

    fn verify_record(&self) -> std::result::Result<(), Lost> {
        // A reservation names the process that made it, until it is adopted; a second guard the
        // first one's.
        let mut bytes = [0; record::MOST + 1];
        match self.read_at_start(&mut bytes) {
            Ok(length) if record::parse(&bytes[..length]) != Record::Pid(self.terms.pid) => {
                Err(Lost::Overwritten)
            }
            // What cannot be read is not known to be wrong.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn read_at_start(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let file = self.descriptors.file().try_clone_to_owned()?;
        File::from(file).read_at(bytes, 0)
    }

    /// Cleans up, once, if this process is the one to do it.
    pub(crate) fn release(&mut self) -> Result<()> {
        let Some(entry) = self.entry.take() else {
            return Ok(());
        };
        let is_superseded = entry.is_superseded();
        let outcome = entry.scrub();
        let error = match outcome {
            Outcome::Removed => {
                self.descriptors.close_known();
                log::released(&self.path);
                return Ok(());
            }
            Outcome::Gone | Outcome::Emptied => {
                log::released(&self.path);
                return Ok(());
            }
            Outcome::NotOwner => return Ok(()),
            Outcome::Lost => {
                if is_superseded {
                    // The numbers are those of a younger guard.
                    self.descriptors.forget();
                }
                Error::lost(&self.path)
            }
            Outcome::Stuck => {
                self.descriptors.forget();
                Error::io(Action::Remove, &self.path, io::ErrorKind::TimedOut)
            }
            Outcome::Refused(errno) => Error::io(Action::Remove, &self.path, errno),
        };
        log::refused(&error);
        Err(error)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Ignored: a caller that wants to know calls `release`. The descriptors that are still ours
        // are closed next, by `Descriptors`.
        let _ = self.release();
    }
}
