//! `Reservation`: held for a process to come, a daemon that forks after it has made sure that
//! it is alone.

use std::fmt;
use std::path::Path;

use crate::action::Action;
use crate::cleanup;
use crate::draft::Plan;
use crate::error::{Error, Result};
use crate::guard::PidFile;
use crate::hold::Hold;
use crate::lock::Found;
use crate::publish::Published;
use crate::target::Target;
use crate::{adopt, in_place};

/// A pidfile that is held, locked and published, for a process to come.
///
/// A daemon reserves before it detaches, so that the terminal still sees a refusal, and adopts in
/// the process that stays. In between no exit and no signal removes the file, in none of the
/// processes. Only dropping the reservation in the process that made it gives the file back, so the
/// parent leaves by `_exit` or `std::process::exit`, which run no destructors, or forgets it with
/// [`std::mem::forget`].
///
/// If everybody dies before the adoption, the file is stale.
///
/// # Examples
///
/// ```no_run
/// # fn detach() -> std::io::Result<()> { Ok(()) }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let reserved = pidfile::Options::new().name("thermod").reserve()?;
/// detach()?; // `nix::unistd::daemon`, the crate `daemonize`, or two forks of your own
/// let held = reserved.adopt()?;
/// # drop(held);
/// # Ok(())
/// # }
/// ```
#[must_use = "the pidfile is given back as soon as the reservation is dropped; `let _ =` drops it at once"]
pub struct Reservation {
    hold: Hold,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hold.describe(f, "Reservation")
    }
}

impl Reservation {
    pub(crate) fn new(hold: Hold) -> Reservation {
        if let Some(entry) = &hold.entry {
            entry.reserve();
        }
        Reservation { hold }
    }

    /// The absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.hold.path
    }

    /// Makes the file this process's own: its id is recorded, and its end cleans up.
    ///
    /// After a fork the file is replaced by a new one, with a lock that no other process shares;
    /// the name never disappears. A file that was written in place, or whose directory this
    /// process may no longer write, is rewritten in place instead: then the lock stays shared with
    /// the processes that were forked since, and is free only when the last one is gone.
    ///
    /// # Errors
    ///
    /// - [`Lost`](Error::Lost): the name does not mean the reserved file any more, or somebody
    ///   closed its descriptor. It also is the answer to a reservation of a second guard (see
    ///   [`allow_same_process`](crate::Options::allow_same_process)) after a fork.
    /// - [`Io`](Error::Io): the system refused. The file is stale as soon as the parent is gone.
    pub fn adopt(self) -> Result<PidFile> {
        let pid = cleanup::enrol();
        let lost = || Error::Lost {
            path: self.hold.path.clone(),
        };
        if self.hold.entry.is_some() && self.hold.verify().is_err() {
            return Err(lost());
        }
        if self.hold.is_owned() {
            if let Some(entry) = &self.hold.entry {
                entry.adopt(self.hold.ways);
            }
            return Ok(PidFile::new(self.hold));
        }
        if self.hold.entry.is_none() {
            return Err(lost());
        }
        let (dir, file) = self
            .hold
            .kept
            .copy()
            .map_err(|errno| self.cannot(Action::Inspect, errno))?;
        let found = Found::inherited(file).map_err(|errno| self.cannot(Action::Inspect, errno))?;
        let plan = Plan {
            target: Target::reopened(dir, self.hold.name.clone(), self.hold.path.clone())?,
            ownership: self.hold.ownership,
            pid,
            lock: self.hold.lock,
            ways: cleanup::Ways {
                in_place: false,
                ..self.hold.ways
            },
        };
        let published = self.publish(&plan, found)?;
        // The old descriptors are closed with `self`, which does not own the file here.
        Ok(PidFile::new(Hold::new(plan, published)))
    }

    fn publish(&self, plan: &Plan, found: Found) -> Result<Published> {
        if !self.hold.ways.in_place {
            match adopt::replace(plan, found.id()) {
                Err(refusal) if in_place::is_called_for(&refusal) => {}
                replaced => return replaced,
            }
        }
        in_place::take_over(plan, found)
    }

    fn cannot(&self, action: Action, errno: nix::errno::Errno) -> Error {
        Error::Io {
            action,
            path: self.hold.path.clone(),
            source: errno.into(),
        }
    }
}
