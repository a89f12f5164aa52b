//! The notice that a start is waiting, for the person who started it.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::message::Described;
use crate::process::Portrait;

/// What a start is waiting for; see [`Options::on_wait`](crate::Options::on_wait).
///
/// Displayed as a phrase, such as `waiting for process 4242 (thermod), which holds
/// /run/thermod.pid, for up to 30s`.
#[derive(Clone, Debug)]
pub struct Waiting {
    path: PathBuf,
    pid: Option<u32>,
    time: Duration,
    is_stopping: bool,
}

impl Waiting {
    pub(crate) fn new(path: &Path, pid: Option<u32>, time: Duration) -> Waiting {
        Waiting {
            path: path.to_owned(),
            pid,
            time,
            is_stopping: false,
        }
    }

    /// The same, for a holder that is about to be asked to end.
    pub(crate) fn stopping(path: &Path, pid: u32, time: Duration) -> Waiting {
        Waiting {
            is_stopping: true,
            ..Waiting::new(path, Some(pid), time)
        }
    }

    /// Returns the path of the pidfile.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the process that holds it, if it is known for certain.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.pid
    }

    /// Returns how long the start will wait at most; `Duration::MAX` means that there is no limit.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }
}

impl fmt::Display for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.is_stopping {
            "stopping"
        } else {
            "waiting for"
        };
        match self.pid {
            Some(pid) => write!(f, "{verb} {}", Described(pid, &Portrait::of(pid)))?,
            None => write!(f, "{verb} the process")?,
        }
        write!(f, ", which holds {}", self.path.display())?;
        match self.time {
            Duration::MAX => Ok(()),
            time => write!(f, ", for up to {time:?}"),
        }
    }
}

/// The function that a program wants called before a start waits.
#[derive(Clone)]
pub(crate) struct OnWait(Arc<dyn Fn(&Waiting) + Send + Sync>);

impl OnWait {
    pub(crate) fn new(notice: impl Fn(&Waiting) + Send + Sync + 'static) -> OnWait {
        OnWait(Arc::new(notice))
    }

    pub(crate) fn call(&self, waiting: &Waiting) {
        (self.0)(waiting);
    }
}

impl fmt::Debug for OnWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnWait")
    }
}

/// A panic in that function leaves the options as they were.
impl UnwindSafe for OnWait {}
impl RefUnwindSafe for OnWait {}
