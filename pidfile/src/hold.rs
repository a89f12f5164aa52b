//! A published file: what a guard and a reservation have in common, and how the
//! file is released.

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

/// A published file, and all that is needed to release it or to publish it anew for another
/// process. Dropping it releases the file and ignores errors.
#[derive(Debug)]
pub(crate) struct Hold {
    pub(crate) path: PathBuf,
    pub(crate) name: CString,
    pub(crate) terms: Terms,
    pub(crate) descriptors: Descriptors,
    /// `None` after the release, and for a second guard in the process that holds the file, which
    /// cleans up nothing.
    pub(crate) entry: Option<Armed>,
}

/// How a held pidfile was lost: the error of [`PidFile::verify`](crate::PidFile::verify).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lost {
    /// The path leads nowhere: the file was removed, or its directory was renamed or covered by a
    /// mount. A second instance may start at any time.
    Gone,
    /// The path leads to another file, so a second instance may be running.
    Replaced,
    /// Another program has written to the file. The lock still keeps a second instance out, but the
    /// record no longer names this process.
    Overwritten,
    /// This program has closed the guard's descriptor, which released the lock.
    DescriptorClosed,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Lost::Gone => "the pidfile is no longer at its path",
            Lost::Replaced => "the pidfile was replaced by another file",
            Lost::Overwritten => "the pidfile was overwritten by another program",
            Lost::DescriptorClosed => "the descriptor of the pidfile was closed",
        })
    }
}

impl std::error::Error for Lost {}

impl Hold {
    /// Writes what is worth a line in a log.
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

    /// The file of another guard of this process.
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

    /// Whether it is this process that cleans up, and not an ancestor that it was forked from. A
    /// second guard belongs to the recorded process.
    pub(crate) fn is_owned(&self) -> bool {
        self.entry
            .as_ref()
            .map_or(self.terms.pid == sys::pid(), Armed::is_owned)
    }

    /// Checks that path, name, descriptors and record are still ours.
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
        // The next start resolves the path, which may lead elsewhere by now. After a chroot there
        // is nothing to compare it with.
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
        // Until it is adopted, a reservation names the process that made it; a second guard names
        // the process of the first.
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

    /// Cleans up once, if that is up to this process.
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
                    // The descriptors are those of a younger guard now.
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
        // Ignored: a caller who wants the error calls `release`. The descriptors that are still
        // ours are closed next, by `Descriptors`.
        let _ = self.release();
    }
}
