//! What can go wrong: one variant for each thing a caller can do about it.
//!
//! A message is for the person at the terminal: it names the file, the holder
//! if there is one, and what to do next. It does not repeat the system's error,
//! which stays reachable through [`source`](std::error::Error::source).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::action::Action;
use crate::message;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a pidfile could not be acquired, inspected or released.
///
/// The first question is whether another instance is running or something broke;
/// [`is_running`](Error::is_running) answers it.
///
/// `{}` prints the message without the system's error, which is the
/// [`source`](std::error::Error::source); `{:#}` prints both. `{:?}`, which Rust prints when
/// `fn main() -> Result<(), pidfile::Error>` fails, adds the name of the variant in front. `{:#?}`
/// prints the fields.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds the lock, or this process already does.
    #[error(fmt = message::locked)]
    #[non_exhaustive]
    Locked {
        /// The pidfile.
        path: PathBuf,
        /// The holder, if it is known for certain: a living process that has this very lock. `None`
        /// if the recorded process does not have it, if the holder has no id in the pid namespace
        /// of this process, or if only a forked worker of the holder is left.
        pid: Option<u32>,
        /// The holder's command name, if it is known.
        program: Option<String>,
        /// The holder's user, if it is not the user of this process.
        user: Option<String>,
        /// Whether the holder is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// Whether the file names a process other than the holder: another program has overwritten
        /// the record, or the holder has another id in its own pid namespace.
        misnamed: bool,
        /// Whether this process holds the file itself. The pid is not enough to tell, because two
        /// containers that share a directory may both be process 1.
        own: bool,
        /// How long this process waited in vain; `None` without [`wait`](crate::Options::wait).
        waited: Option<Duration>,
    },

    /// No process holds the lock, but the recorded process is alive. This error exists only with
    /// [`refuse_live`](crate::Options::refuse_live) or without [`lock`](crate::Options::lock).
    #[error(fmt = message::running)]
    #[non_exhaustive]
    Running {
        /// The pidfile.
        path: PathBuf,
        /// The recorded process.
        pid: u32,
        /// Its command name, if it is known.
        program: Option<String>,
        /// Its user, if it is not the user of this process.
        user: Option<String>,
        /// Whether it is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// How long this process waited in vain; `None` without [`wait`](crate::Options::wait).
        waited: Option<Duration>,
    },

    /// The path names something that is not a pidfile. It was not touched.
    #[error(
        "{} is not a pidfile: {why}; it was left untouched, so move it away or use another path",
        path.display()
    )]
    #[non_exhaustive]
    NotPidfile {
        /// The path.
        path: PathBuf,
        /// What is there instead.
        why: String,
    },

    /// The file belongs to another user, or other users can write where a file or directory would
    /// have to be created. Nothing was touched.
    #[error("{} cannot be trusted: {why}", path.display())]
    #[non_exhaustive]
    Insecure {
        /// The file or the directory.
        path: PathBuf,
        /// Who controls it, and what to do about it.
        why: String,
    },

    /// The options contradict each other, or one of them is invalid. Nothing was touched.
    #[error("{why}")]
    #[non_exhaustive]
    Config {
        /// Which option it is, and what it accepts.
        why: String,
    },

    /// The file system does not support `flock`, or its locks do not exclude another process.
    #[error(
        "{} is on a file system without a working flock; use another path, or `lock(false)`",
        path.display()
    )]
    #[non_exhaustive]
    Unsupported {
        /// The pidfile.
        path: PathBuf,
    },

    /// Other processes kept replacing the file, or kept it from being opened, while it was being
    /// acquired.
    #[error("{} is being changed repeatedly by other processes; try again", path.display())]
    #[non_exhaustive]
    Contended {
        /// The pidfile.
        path: PathBuf,
    },

    /// The path or the descriptor no longer refers to the acquired file. Whatever is there now was
    /// left untouched.
    #[error(
        "{} no longer belongs to this process; another instance may be running",
        path.display()
    )]
    #[non_exhaustive]
    Lost {
        /// The pidfile.
        path: PathBuf,
    },

    /// The holder was asked to end, by [`Holder::stop`](crate::Holder::stop),
    /// [`Holder::kill`](crate::Holder::kill) or [`replace`](crate::Options::replace), and the file
    /// is still held.
    #[error(fmt = message::still_running)]
    #[non_exhaustive]
    StillRunning {
        /// The pidfile.
        path: PathBuf,
        /// The process that still holds it.
        pid: u32,
        /// Its command name, if it is known.
        program: Option<String>,
        /// Its user, if it is not the user of this process.
        user: Option<String>,
        /// Whether it is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// The holder that has ended and left its lock to `pid`, a process that it had forked.
        /// `None` if the holder itself is still running.
        ended: Option<u32>,
        /// How long this process waited.
        waited: Duration,
    },

    /// The file is held, but not certainly by the process that it names, so no process was
    /// signalled. The record may be from another pid namespace, it may name an unrelated process,
    /// or only a forked worker of the holder may be left.
    #[error(fmt = message::unknown_holder)]
    #[non_exhaustive]
    UnknownHolder {
        /// The pidfile.
        path: PathBuf,
        /// The process that has the lock, if it is known for certain.
        pid: Option<u32>,
        /// Its command name, if it is known.
        program: Option<String>,
        /// Its user, if it is not the user of this process.
        user: Option<String>,
        /// Whether it is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// The process that the file names; `None` if it names none.
        recorded: Option<u32>,
    },

    /// A system call failed.
    #[error(fmt = message::io)]
    #[non_exhaustive]
    Io {
        /// What was being done.
        action: Action,
        /// The file or directory it was done to.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
        /// What to do about it, if that is known.
        advice: Option<String>,
    },
}

impl Error {
    pub(crate) fn io(action: Action, path: &Path, source: impl Into<io::Error>) -> Error {
        Error::Io {
            action,
            path: path.to_owned(),
            source: source.into(),
            advice: None,
        }
    }

    /// Adds advice to an `Io`.
    pub(crate) fn advise(mut self, advise: impl FnOnce(&io::Error) -> Option<String>) -> Error {
        if let Error::Io { source, advice, .. } = &mut self {
            *advice = advise(source);
        }
        self
    }

    pub(crate) fn config(why: impl Into<String>) -> Error {
        Error::Config { why: why.into() }
    }

    pub(crate) fn insecure(path: &Path, why: impl Into<String>) -> Error {
        Error::Insecure {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    pub(crate) fn not_a_pidfile(path: &Path, why: impl Into<String>) -> Error {
        Error::NotPidfile {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    pub(crate) fn lost(path: &Path) -> Error {
        Error::Lost {
            path: path.to_owned(),
        }
    }

    /// Whether another instance is already there: [`Locked`](Error::Locked),
    /// [`Running`](Error::Running), [`StillRunning`](Error::StillRunning) or
    /// [`UnknownHolder`](Error::UnknownHolder).
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(
            self,
            Error::Locked { .. }
                | Error::Running { .. }
                | Error::StillRunning { .. }
                | Error::UnknownHolder { .. }
        )
    }

    /// The process that is already running, if it is known.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self {
            Error::Locked { pid, .. } | Error::UnknownHolder { pid, .. } => *pid,
            Error::Running { pid, .. } | Error::StillRunning { pid, .. } => Some(*pid),
            _ => None,
        }
    }

    /// The file or directory that the error is about; `None` for [`Config`](Error::Config).
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Error::Locked { path, .. }
            | Error::Running { path, .. }
            | Error::NotPidfile { path, .. }
            | Error::Insecure { path, .. }
            | Error::Unsupported { path }
            | Error::Contended { path }
            | Error::Lost { path }
            | Error::StillRunning { path, .. }
            | Error::UnknownHolder { path, .. }
            | Error::Io { path, .. } => Some(path),
            Error::Config { .. } => None,
        }
    }
}
