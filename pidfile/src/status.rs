//! `Status`: checks which process holds a pidfile, without changing anything.
//!
//! The check takes a shared lock for an instant. A start that meets this lock
//! recognises a reader and tries again.

use std::fmt;
use std::path::Path;

use crate::error::{Error, Result};
use crate::inspect::{Interest, ROUNDS, State, inspect};
use crate::open::{self, Access};
use crate::options::Options;
use crate::ownership::Ownership;
use crate::target::Target;
use crate::{path, wait};

/// The state of a pidfile.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> pidfile::Result<()> {
/// let status = pidfile::status("/run/thermod.pid")?;
/// println!("/run/thermod.pid: {status}");
/// std::process::exit(status.exit_code().into());
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// There is no file.
    Absent,
    /// The file exists and no process holds it. The next start takes it over, unless it is refused
    /// for another reason, such as the file's owner.
    Stale {
        /// The recorded process; `None` if the file is empty.
        pid: Option<u32>,
    },
    /// Another process holds it.
    Held {
        /// The holder, if it is known for certain: a living process that has this very lock. With
        /// [`lock(false)`](Options::lock), the recorded process, if it is alive.
        pid: Option<u32>,
    },
    /// This process holds it.
    Own,
    /// The path names something that is not a pidfile, which a start refuses to touch.
    NotPidfile,
}

impl Status {
    /// The exit status of an init script's `status` action, as the Linux Standard Base 5.0 defines
    /// it ("Init Script Actions"): 0 is running, 1 dead with a pidfile left behind, 3 not running,
    /// and 4 unknown.
    ///
    /// An empty file is 3, because a clean stop leaves one behind where it may not remove the file.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Status::Held { .. } | Status::Own => 0,
            Status::Stale { pid: Some(_) } => 1,
            Status::Stale { pid: None } | Status::Absent => 3,
            Status::NotPidfile => 4,
        }
    }

    /// The process that holds the file or, if the file is stale, the recorded one.
    #[must_use]
    pub fn pid(self) -> Option<u32> {
        match self {
            Status::Held { pid } | Status::Stale { pid } => pid,
            Status::Own => Some(std::process::id()),
            Status::Absent | Status::NotPidfile => None,
        }
    }

    /// Whether a process holds the file: [`Held`](Status::Held) or [`Own`](Status::Own).
    #[must_use]
    pub fn is_running(self) -> bool {
        matches!(self, Status::Held { .. } | Status::Own)
    }
}

/// Describes the state in a few words, such as `held by process 4242`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Status::Absent => f.write_str("does not exist"),
            Status::Stale { pid: Some(pid) } => write!(f, "stale, left by process {pid}"),
            Status::Stale { pid: None } => f.write_str("stale and empty"),
            Status::Held { pid: Some(pid) } => write!(f, "held by process {pid}"),
            Status::Held { pid: None } => f.write_str("held by an unknown process"),
            Status::Own => f.write_str("held by this process"),
            Status::NotPidfile => f.write_str("not a pidfile"),
        }
    }
}

/// Checks which process holds the pidfile at `path`, with default options.
///
/// # Errors
///
/// The same as for [`Options::status`].
pub fn status(path: impl AsRef<Path>) -> Result<Status> {
    Options::new().path(path).status()
}

impl Options {
    /// Checks which process holds the pidfile. This never creates or changes anything, and never
    /// makes a start fail.
    ///
    /// The owner of the file does not affect the answer, although it affects a start.
    ///
    /// # Errors
    ///
    /// - [`Config`](Error::Config): the options contradict each other, or one of them is invalid.
    /// - [`Insecure`](Error::Insecure): the directory of [`temp_dir`](Options::temp_dir) is not
    ///   private, or another user controls that of `RUNTIME_DIRECTORY`.
    /// - [`Unsupported`](Error::Unsupported): the file system does not support `flock`.
    /// - [`Contended`](Error::Contended): other processes kept replacing the file.
    /// - [`Io`](Error::Io): a system call failed.
    pub fn status(&self) -> Result<Status> {
        Ownership::resolve(self)?; // Contradictory options are an error here too.
        wait::patience(self)?;
        let Some(target) = Target::open_if_there(path::resolve(self)?)? else {
            return Ok(Status::Absent);
        };
        for _ in 0..ROUNDS {
            let found = match open::open(&target, Access::Look) {
                Ok(Some(found)) => found,
                Ok(None) => return Ok(Status::Absent),
                Err(Error::NotPidfile { .. }) => return Ok(Status::NotPidfile),
                Err(error) => return Err(error),
            };
            return Ok(match inspect(self, &target, &found, Interest::Look)? {
                State::Moved => continue,
                State::Own => Status::Own,
                State::Held(pid) => Status::Held { pid },
                State::Live(pid) => Status::Held { pid: Some(pid) },
                State::Stale(pid) => Status::Stale { pid },
                State::Foreign(_) => Status::NotPidfile,
            });
        }
        Err(target.contended())
    }
}
