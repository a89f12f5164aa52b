//! What can go wrong: one variant for each thing a caller can do about it.
//!
//! A message is for the person at the terminal: it names the file, the holder
//! if there is one, and what to do next. It does not repeat the system's own
//! words, which stay reachable through [`source`](std::error::Error::source).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::action::Action;
use crate::message;

/// The result of every fallible function of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a pidfile was not acquired, inspected or released.
///
/// Callers act on one distinction first, which [`is_running`](Error::is_running) answers: another
/// instance is already there, or something broke.
///
/// `{}` prints the message without the system's words, which are the
/// [`source`](std::error::Error::source); `{:#}` prints both. `{:?}` adds the variant's name, because
/// that is what `fn main() -> Result<(), pidfile::Error>` shows, and `{:#?}` prints the fields.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process holds the lock, or this process does already.
    #[error(fmt = message::locked)]
    #[non_exhaustive]
    Locked {
        /// The pidfile.
        path: PathBuf,
        /// The holder, if it is known for certain: a process that lives and has this very lock.
        /// `None` if the record names a process that does not have it, if the holder has no number
        /// in our pid namespace, or if only a forked worker of the holder is left.
        pid: Option<u32>,
        /// The holder's command name, where the system reports it.
        program: Option<String>,
        /// The holder's user, if it is another one than ours.
        user: Option<String>,
        /// Whether the holder is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// Whether the file does not name the holder: another program has overwritten the record, or
        /// the holder has another number in its own pid namespace.
        misnamed: bool,
        /// Whether this process holds the file itself. The number does not say so: two containers
        /// that share a directory may both be process 1.
        own: bool,
        /// How long this process has waited in vain; `None` without [`wait`](crate::Options::wait).
        waited: Option<Duration>,
    },

    /// No process holds the lock, but the one that the file names is alive. Only with
    /// [`refuse_live`](crate::Options::refuse_live) or without [`lock`](crate::Options::lock).
    #[error(fmt = message::running)]
    #[non_exhaustive]
    Running {
        /// The pidfile.
        path: PathBuf,
        /// The process that the file names.
        pid: u32,
        /// Its command name, where the system reports it.
        program: Option<String>,
        /// Its user, if it is another one than ours.
        user: Option<String>,
        /// Whether it is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// How long this process has waited in vain; `None` without [`wait`](crate::Options::wait).
        waited: Option<Duration>,
    },

    /// The path leads to something that is not a pidfile. It was left as it is.
    #[error(
        "{} is not a pidfile: {why}; it was left as it is, move it away or use another path",
        path.display()
    )]
    #[non_exhaustive]
    NotPidfile {
        /// What the path leads to.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },

    /// The file belongs to another user, or another user can write to a place where a file or
    /// directory of ours would be made. Nothing was changed.
    #[error("{} cannot be trusted: {why}", path.display())]
    #[non_exhaustive]
    Insecure {
        /// The file or the directory.
        path: PathBuf,
        /// Who controls it, and what to do.
        why: String,
    },

    /// The options contradict each other, or one of them makes no sense. Nothing was changed.
    #[error("{why}")]
    #[non_exhaustive]
    Config {
        /// Which option, and what it takes instead.
        why: String,
    },

    /// The file system has no `flock` that keeps two processes apart.
    #[error(
        "{} is on a file system without a working flock; use another path, or `lock(false)`",
        path.display()
    )]
    #[non_exhaustive]
    Unsupported {
        /// The pidfile.
        path: PathBuf,
    },

    /// The file was replaced, or opened by another program in a way that blocks us, again and again
    /// while we tried to take it.
    #[error("{} is being changed by other processes again and again; try again", path.display())]
    #[non_exhaustive]
    Contended {
        /// The pidfile.
        path: PathBuf,
    },

    /// The name or the descriptor is no longer that of the file we published. The file that has the
    /// name now was left alone.
    #[error(
        "{} is no longer the file of this process; another instance may be running",
        path.display()
    )]
    #[non_exhaustive]
    Lost {
        /// The pidfile.
        path: PathBuf,
    },

    /// The holder was asked to end, and the file is still held: by
    /// [`Holder::stop`](crate::Holder::stop), [`Holder::kill`](crate::Holder::kill) or
    /// [`replace`](crate::Options::replace).
    #[error(fmt = message::still_running)]
    #[non_exhaustive]
    StillRunning {
        /// The pidfile.
        path: PathBuf,
        /// The process that still holds it.
        pid: u32,
        /// Its command name, where the system reports it.
        program: Option<String>,
        /// Its user, if it is another one than ours.
        user: Option<String>,
        /// Whether it is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// The holder that has ended and left its lock to `pid`, a process that it had forked.
        /// `None` if the holder itself goes on.
        ended: Option<u32>,
        /// How long this process has waited.
        waited: Duration,
    },

    /// The file is held, but not for certain by the process that it names, so no process was
    /// signalled. The record may be of another pid namespace or name a stranger, or only a forked
    /// worker of the holder is left.
    #[error(fmt = message::unknown_holder)]
    #[non_exhaustive]
    UnknownHolder {
        /// The pidfile.
        path: PathBuf,
        /// The process that has the lock, if it is known for certain.
        pid: Option<u32>,
        /// Its command name, where the system reports it.
        program: Option<String>,
        /// Its user, if it is another one than ours.
        user: Option<String>,
        /// Whether it is suspended (SIGSTOP, Ctrl-Z).
        suspended: bool,
        /// The process that the file names; `None` if it names none.
        recorded: Option<u32>,
    },

    /// The system refused.
    #[error(fmt = message::io)]
    #[non_exhaustive]
    Io {
        /// What was being done.
        action: Action,
        /// The file or directory it was done to.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
        /// What to do about it, where that is known.
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

    /// Adds to an `Io` what to do about it.
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

    /// The process that is already there, if it is known.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self {
            Error::Locked { pid, .. } | Error::UnknownHolder { pid, .. } => *pid,
            Error::Running { pid, .. } | Error::StillRunning { pid, .. } => Some(*pid),
            _ => None,
        }
    }

    /// The file or directory that the error is about. Only [`Config`](Error::Config) has none.
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
