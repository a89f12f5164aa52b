//! The errors about a process that is in the way. Each carries a portrait of that
//! process, by which an operator recognises it.

use std::path::Path;
use std::time::Duration;

use crate::error::Error;
use crate::process::Portrait;

impl Error {
    /// Held by the process with that id, if it is known for certain.
    pub(crate) fn locked(path: &Path, pid: Option<u32>) -> Error {
        let Portrait {
            program,
            user,
            suspended,
        } = pid.map(Portrait::of).unwrap_or_default();
        Error::Locked {
            path: path.to_owned(),
            pid,
            program,
            user,
            suspended,
            misnamed: false,
            own: false,
            waited: None,
        }
    }

    /// The same refusal, for a file that records this process or none.
    pub(crate) fn naming(mut self, recorded: Option<u32>) -> Error {
        if let Error::Locked { pid, misnamed, .. } = &mut self {
            *misnamed = pid.is_some() && *pid != recorded;
        }
        self
    }

    /// Held by this process.
    pub(crate) fn locked_by_us(path: &Path) -> Error {
        let mut error = Error::locked(path, Some(std::process::id()));
        if let Error::Locked { own, .. } = &mut error {
            *own = true;
        }
        error
    }

    pub(crate) fn running(path: &Path, pid: u32) -> Error {
        let Portrait {
            program,
            user,
            suspended,
        } = Portrait::of(pid);
        Error::Running {
            path: path.to_owned(),
            pid,
            program,
            user,
            suspended,
            waited: None,
        }
    }

    /// Still held by the process with that id: the holder, or a process that inherited the lock
    /// from the holder that has `ended`.
    pub(crate) fn still_running(
        path: &Path,
        pid: u32,
        ended: Option<u32>,
        waited: Duration,
    ) -> Error {
        let Portrait {
            program,
            user,
            suspended,
        } = Portrait::of(pid);
        Error::StillRunning {
            path: path.to_owned(),
            pid,
            program,
            user,
            suspended,
            ended,
            waited,
        }
    }

    /// Held by the process with that id, if it is known for certain, and not by the recorded one.
    pub(crate) fn unknown_holder(path: &Path, pid: Option<u32>, recorded: Option<u32>) -> Error {
        let Portrait {
            program,
            user,
            suspended,
        } = pid.map(Portrait::of).unwrap_or_default();
        Error::UnknownHolder {
            path: path.to_owned(),
            pid,
            program,
            user,
            suspended,
            recorded,
        }
    }

    /// The same refusal, after waiting for that long in vain.
    pub(crate) fn after(mut self, time: Option<Duration>) -> Error {
        match (&mut self, time) {
            (Error::Locked { waited, .. } | Error::Running { waited, .. }, time) => *waited = time,
            (Error::StillRunning { waited, .. }, Some(time)) => *waited = time,
            _ => {}
        }
        self
    }
}
