//! What an error is to those who know no pidfiles: an exit status to a shell, a
//! kind to `std::io`.

use std::io;

use crate::action::Action;
use crate::error::Error;

impl Error {
    /// The status that a program should exit with, from `sysexits.h`.
    ///
    /// | status | name | when |
    /// |---|---|---|
    /// | 75 | `EX_TEMPFAIL` | `Locked`, `Running`, `StillRunning`, `UnknownHolder`, `Contended`: try again later |
    /// | 73 | `EX_CANTCREAT` | `NotPidfile`, and `Io` unless it is from cleaning up or signalling |
    /// | 77 | `EX_NOPERM` | `Insecure`, and `Io` where permission was denied |
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

/// Keeps the kind of `Io`. [`WouldBlock`](io::ErrorKind::WouldBlock) is for `Locked` and `Running`, as
/// in `std::fs::TryLockError`; the kinds of the other variants may change. The
/// [`Error`] stays reachable through [`io::Error::get_ref`].
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}
