//! What an error means to code that knows nothing of pidfiles: an exit status for
//! a shell, a kind for `std::io`.

use std::io;

use crate::action::Action;
use crate::error::Error;

impl Error {
    /// Returns the status that a program should exit with, as defined by `sysexits.h`.
    ///
    /// | status | name | when |
    /// |---|---|---|
    /// | 75 | `EX_TEMPFAIL` | `Locked`, `Running`, `StillRunning`, `UnknownHolder`, `Contended`: try again later |
    /// | 73 | `EX_CANTCREAT` | `NotPidfile`, and `Io` unless it comes from cleaning up or signalling |
    /// | 77 | `EX_NOPERM` | `Insecure`, and `Io` if permission was denied |
    /// | 78 | `EX_CONFIG` | `Config` |
    /// | 69 | `EX_UNAVAILABLE` | `Unsupported` |
    /// | 71 | `EX_OSERR` | the rest |
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Locked { .. }
            | Error::Running { .. }
            | Error::StillRunning { .. }
            | Error::UnknownHolder { .. }
            | Error::Contended { .. } => 75,
            Error::Insecure { .. } => 77,
            Error::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => 77,
            Error::Io {
                action: Action::Remove | Action::Empty | Action::Signal,
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
            Error::Locked { .. } | Error::Running { .. } | Error::UnknownHolder { .. } => {
                io::ErrorKind::WouldBlock
            }
            Error::StillRunning { .. } => io::ErrorKind::TimedOut,
            Error::Contended { .. } => io::ErrorKind::ResourceBusy,
            Error::NotPidfile { .. } => io::ErrorKind::InvalidData,
            Error::Insecure { .. } => io::ErrorKind::PermissionDenied,
            Error::Config { .. } => io::ErrorKind::InvalidInput,
            Error::Unsupported { .. } => io::ErrorKind::Unsupported,
            Error::Lost { .. } => io::ErrorKind::NotFound,
            Error::Io { source, .. } => source.kind(),
        }
    }
}

/// Keeps the kind of `Io`. `Locked` and `Running` become [`WouldBlock`](io::ErrorKind::WouldBlock),
/// as `std::fs::TryLockError` does; the kinds of the other variants may change. The [`Error`] stays
/// reachable through [`io::Error::get_ref`].
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}
