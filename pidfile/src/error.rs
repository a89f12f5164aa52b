//! What can go wrong: one variant for each thing a caller can do about it.
//!
//! A message is for the person at the terminal: it names the file, the holder
//! where there is one, and what to do next. The system's own words are not
//! repeated in it; they stay reachable through [`source`](std::error::Error::source).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::action::Action;

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a pidfile was not acquired, looked at or released.
///
/// Callers act on one distinction first, which [`is_running`](Error::is_running) answers: somebody
/// else is already there, or something broke.
///
/// `{}` prints the message, which leaves what the system said to
/// [`source`](std::error::Error::source), and `{:#}` prints both. `{:?}` prints the variant's name as
/// well, because that is what `fn main() -> Result<(), pidfile::Error>` shows; `{:#?}` prints the
/// fields.
#[non_exhaustive]
pub enum Error {
    /// Another process holds the lock, or this process does already.
    #[non_exhaustive]
    Locked {
        /// The pidfile.
        path: PathBuf,
        /// The holder as the file names it, if that process lives. `None` when the file is empty,
        /// or names a process that is gone while another one keeps its lock.
        pid: Option<u32>,
        /// The holder's command name, where the system tells.
        program: Option<String>,
        /// Whether this process holds the file itself. Its number does not tell: two containers that
        /// share a directory may both be process 1.
        own: bool,
    },

    /// Nobody holds the lock, but the process that the file names lives. Only with
    /// [`refuse_live`](crate::Options::refuse_live) or without [`lock`](crate::Options::lock).
    #[non_exhaustive]
    Running {
        /// The pidfile.
        path: PathBuf,
        /// The process that the file names.
        pid: u32,
        /// Its command name, where the system tells.
        program: Option<String>,
    },

    /// What is there is no pidfile. It was left as it is.
    #[non_exhaustive]
    NotPidfile {
        /// What is there.
        path: PathBuf,
        /// What it is instead.
        why: String,
    },

    /// The file is somebody else's, or others can write where a directory or a file of ours is to be
    /// made. It was left as it is.
    #[non_exhaustive]
    Insecure {
        /// The file or the directory.
        path: PathBuf,
        /// Who controls it, and what to do.
        why: String,
    },

    /// The options contradict each other, or one of them has no meaning. Nothing was touched.
    #[non_exhaustive]
    Config {
        /// Which option, and what it takes instead.
        why: String,
    },

    /// The file system has no `flock`.
    #[non_exhaustive]
    Unsupported {
        /// The pidfile.
        path: PathBuf,
    },

    /// The file was replaced again and again while we tried to take it.
    #[non_exhaustive]
    Contended {
        /// The pidfile.
        path: PathBuf,
    },

    /// The name or the descriptor is no longer that of the file we published; what is there now
    /// was left alone.
    #[non_exhaustive]
    Lost {
        /// The pidfile.
        path: PathBuf,
    },

    /// The system refused.
    #[non_exhaustive]
    Io {
        /// What was being done.
        action: Action,
        /// The file or directory it was done to.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Error {
    /// Whether somebody is already running here: [`Locked`](Error::Locked) or
    /// [`Running`](Error::Running).
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self, Error::Locked { .. } | Error::Running { .. })
    }

    /// The process that is already running here, where it is known.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self {
            Error::Locked { pid, .. } => *pid,
            Error::Running { pid, .. } => Some(*pid),
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
            | Error::Io { path, .. } => Some(path),
            Error::Config { .. } => None,
        }
    }

    /// The status that a program should exit with, from `sysexits.h`.
    ///
    /// | status | name | when |
    /// |---|---|---|
    /// | 75 | `EX_TEMPFAIL` | `Locked`, `Running`, `Contended`: try again later |
    /// | 73 | `EX_CANTCREAT` | `NotPidfile`, and `Io` unless it is from cleaning up |
    /// | 77 | `EX_NOPERM` | `Insecure`, and `Io` where permission was denied |
    /// | 78 | `EX_CONFIG` | `Config` |
    /// | 69 | `EX_UNAVAILABLE` | `Unsupported` |
    /// | 71 | `EX_OSERR` | the rest |
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Locked { .. } | Error::Running { .. } | Error::Contended { .. } => 75,
            Error::Insecure { .. } => 77,
            Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => 77,
            Error::Io {
                action: Action::Remove | Action::Empty,
                ..
            }
            | Error::Lost { .. } => 71,
            Error::NotPidfile { .. } | Error::Io { .. } => 73,
            Error::Config { .. } => 78,
            Error::Unsupported { .. } => 69,
        }
    }

    fn kind(&self) -> io::ErrorKind {
        match self {
            Error::Locked { .. } | Error::Running { .. } => io::ErrorKind::WouldBlock,
            Error::Contended { .. } => io::ErrorKind::ResourceBusy,
            Error::NotPidfile { .. } => io::ErrorKind::InvalidData,
            Error::Insecure { .. } => io::ErrorKind::PermissionDenied,
            Error::Config { .. } => io::ErrorKind::InvalidInput,
            Error::Unsupported { .. } => io::ErrorKind::Unsupported,
            Error::Lost { .. } => io::ErrorKind::NotFound,
            Error::Io { source, .. } => source.kind(),
        }
    }

    fn variant(&self) -> &'static str {
        match self {
            Error::Locked { .. } => "Locked",
            Error::Running { .. } => "Running",
            Error::NotPidfile { .. } => "NotPidfile",
            Error::Insecure { .. } => "Insecure",
            Error::Config { .. } => "Config",
            Error::Unsupported { .. } => "Unsupported",
            Error::Contended { .. } => "Contended",
            Error::Lost { .. } => "Lost",
            Error::Io { .. } => "Io",
        }
    }
}

/// Keeps the kind of `Io`. [`WouldBlock`](io::ErrorKind::WouldBlock) is for `Locked` and `Running`, as
/// in `std::fs::TryLockError`; the kinds of the other variants are no part of the promise. The
/// [`Error`] stays reachable through [`io::Error::get_ref`].
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

/// Written out: the derive that could do it would bring `syn` to those who do without the attribute.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path() {
            if !matches!(self, Error::Io { .. }) {
                write!(f, "{} ", path.display())?;
            }
        }
        match self {
            Error::Locked { own: true, .. } => f.write_str(
                "is held by this process already; release it first, or use `allow_same_process`",
            ),
            Error::Locked {
                path, pid, program, ..
            } => {
                f.write_str("is held by ")?;
                held_by(f, path, *pid, program.as_deref())
            }
            Error::Running { pid, program, .. } => {
                f.write_str("names ")?;
                process(f, *pid, program.as_deref())?;
                f.write_str(
                    ", which is running; stop it, or remove the file if it is another program",
                )
            }
            Error::NotPidfile { why, .. } => write!(
                f,
                "is not a pidfile: {why}; it was left as it is, move it away or use another path"
            ),
            Error::Insecure { why, .. } => write!(f, "cannot be trusted: {why}"),
            Error::Config { why } => f.write_str(why),
            Error::Unsupported { .. } => {
                f.write_str("is on a file system without flock; use another path, or `lock(false)`")
            }
            Error::Contended { .. } => {
                f.write_str("was replaced by others again and again; try again")
            }
            Error::Lost { .. } => f.write_str(
                "is no longer the file of this process; another instance may be running",
            ),
            Error::Io {
                action,
                path,
                source,
            } => {
                write!(f, "cannot {action} {}", path.display())?;
                if f.alternate() {
                    write!(f, ": {source}")
                } else {
                    Ok(())
                }
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            let mut fields = f.debug_struct(self.variant());
            if let Some(path) = self.path() {
                fields.field("path", &path);
            }
            match self {
                Error::Locked {
                    pid, program, own, ..
                } => {
                    fields
                        .field("pid", pid)
                        .field("program", program)
                        .field("own", own);
                }
                Error::Running { pid, program, .. } => {
                    fields.field("pid", pid).field("program", program);
                }
                Error::NotPidfile { why, .. }
                | Error::Insecure { why, .. }
                | Error::Config { why } => {
                    fields.field("why", why);
                }
                Error::Io { action, source, .. } => {
                    fields.field("action", action).field("source", source);
                }
                Error::Unsupported { .. } | Error::Contended { .. } | Error::Lost { .. } => {}
            }
            return fields.finish();
        }
        write!(f, "{}: {self:#}", self.variant())
    }
}

fn held_by(
    f: &mut fmt::Formatter<'_>,
    path: &Path,
    pid: Option<u32>,
    program: Option<&str>,
) -> fmt::Result {
    match pid {
        Some(pid) => {
            process(f, pid, program)?;
            f.write_str("; stop it, or use another path")
        }
        None => write!(
            f,
            "a process whose number is not in it; `fuser {}` names it",
            path.display()
        ),
    }
}

fn process(f: &mut fmt::Formatter<'_>, pid: u32, program: Option<&str>) -> fmt::Result {
    write!(f, "process {pid}")?;
    match program {
        Some(program) => write!(f, " ({program})"),
        None => Ok(()),
    }
}
