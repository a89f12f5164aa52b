//! Look without touching: who holds a pidfile?
//!
//! Nothing is changed or created. Asking takes a shared lock for an instant; a
//! starter that meets it recognises a reader and tries again.

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::lock::{self, Access, Attempt};
use crate::look::{ROUNDS, facts, rule};
use crate::options::Options;
use crate::ownership::Ownership;
use crate::record::Record;
use crate::sys::LockKind;
use crate::target::Target;
use crate::verdict::{self, Verdict};
use crate::{cleanup, path};

/// What a pidfile's path stands for at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// There is no file.
    Absent,
    /// The file is there, and nobody holds it: the next start takes it over, unless it refuses for
    /// another reason, such as a file of somebody else.
    Stale {
        /// The process that it names; `None` if the file is empty.
        pid: Option<u32>,
    },
    /// Another process holds it.
    Held {
        /// The process that the file names, if that one lives. `None` when the file is empty, or
        /// names a process that is gone while another one keeps its lock.
        pid: Option<u32>,
    },
    /// This process holds it.
    Own,
    /// What is there is no pidfile, and a start will refuse to touch it.
    NotPidfile,
}

impl Status {
    /// The exit status of an init script's `status` action, as the Linux Standard Base 5.0 defines it
    /// ("Init Script Actions"): 0 running, 1 dead and the pidfile exists, 3 not running, 4 unknown.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Status::Held { .. } | Status::Own => 0,
            Status::Stale { .. } => 1,
            Status::Absent => 3,
            Status::NotPidfile => 4,
        }
    }
}

/// Looks who holds the pidfile at `path`: [`Options::status`] with all defaults.
///
/// # Errors
///
/// As [`Options::status`].
pub fn status(path: impl AsRef<Path>) -> Result<Status> {
    Options::new().path(path).status()
}

pub(crate) fn look(options: &Options) -> Result<Status> {
    Ownership::resolve(options)?; // A contradiction is one here too.
    let target = match Target::open(path::resolve(options)?) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(Status::Absent);
        }
        opened => opened?,
    };
    for _ in 0..ROUNDS {
        let found = match lock::open(&target, Access::Look) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Status::Absent),
            Err(Error::NotPidfile { .. }) => return Ok(Status::NotPidfile),
            Err(error) => return Err(error),
        };
        if cleanup::holds(found.id()) {
            return Ok(Status::Own);
        }
        if options.lock {
            match found.lock(&target, LockKind::Shared)? {
                Attempt::Locked => found.unlock(), // At once, not to be in a starter's way.
                Attempt::Moved => continue,
                Attempt::Held(pid) => {
                    return Ok(match found.read(&target)? {
                        Record::Foreign(_) => Status::NotPidfile,
                        _ => Status::Held { pid },
                    });
                }
            }
        }
        let record = found.read(&target)?;
        return Ok(
            match verdict::judge(&record, rule(options), facts(std::process::id())) {
                Verdict::Stale => Status::Stale { pid: record.pid() },
                Verdict::Live(pid) => Status::Held { pid: Some(pid) },
                Verdict::Foreign(_) => Status::NotPidfile,
            },
        );
    }
    Err(Error::Contended { path: target.path })
}
