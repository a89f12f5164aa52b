//! `Reservation`: a pidfile that is held for a process to come, such as a daemon
//! that forks after it has made sure that it is alone.

use std::fmt;
use std::path::Path;

use nix::errno::Errno;

use crate::action::Action;
use crate::cleanup;
use crate::error::{Error, Result};
use crate::guard::PidFile;
use crate::hold::{Hold, Lost};
use crate::open::Found;
use crate::plan::{Plan, Purpose, Terms};
use crate::publication::Published;
use crate::target::Target;
use crate::{adopt, in_place};

/// A pidfile that is held, locked and published, for a process to come.
///
/// A daemon reserves before it detaches, so that the terminal still sees a refusal, and adopts in
/// the process that stays. In between no exit and no signal removes the file, in none of the
/// processes. Only dropping the reservation in the process that made it releases the file, so the
/// parent leaves by `_exit` or `std::process::exit`, which run no destructors, or forgets it with
/// [`std::mem::forget`].
///
/// If all of these processes die before the adoption, the file is stale.
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
#[must_use = "the pidfile is released as soon as the reservation is dropped; `let _ =` drops it at once"]
pub struct Reservation {
    pub(crate) hold: Hold,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hold.describe(f, "Reservation")
    }
}

impl PidFile {
    /// Turns the guard into a reservation, for a process that forks later: the child
    /// [adopts](Reservation::adopt) it, and this process forgets it or ends with `_exit` or
    /// `std::process::exit`.
    ///
    /// From here on neither an exit nor a signal removes the file.
    pub fn hand_over(self) -> Reservation {
        if let Some(entry) = &self.hold.entry {
            entry.reserve();
        }
        Reservation::new(self.hold)
    }
}

impl Reservation {
    pub(crate) fn new(hold: Hold) -> Reservation {
        Reservation { hold }
    }

    /// The absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.hold.path
    }

    /// Makes the file this process's own: its number is recorded, and its end cleans up.
    ///
    /// After a fork the file is replaced by a new one, with a lock that no other process shares;
    /// the name never disappears. A file that was written in place, or whose directory this
    /// process may no longer write, is rewritten in place instead: then the lock stays shared with
    /// the processes that were forked since, and is free only when the last one is gone.
    ///
    /// # Errors
    ///
    /// - [`Lost`](Error::Lost): the name does not mean the reserved file any more, a sibling has
    ///   adopted it, or the program has closed its descriptor. It is also the answer to a
    ///   reservation of a second guard (see
    ///   [`allow_same_process`](crate::Options::allow_same_process)) after a fork.
    /// - [`NotPidfile`](Error::NotPidfile), [`Insecure`](Error::Insecure): the name `.NAME.adopt`,
    ///   by which the new file gets its own, belongs to something else.
    /// - [`Io`](Error::Io): the system refused. The file is stale as soon as the parent is gone.
    pub fn adopt(self) -> Result<PidFile> {
        let pid = cleanup::enrol();
        let path = &self.hold.path;
        if self.is_lost() {
            return Err(Error::lost(path));
        }
        if self.hold.is_owned() {
            if let Some(entry) = &self.hold.entry {
                entry.adopt();
            }
            return Ok(PidFile::new(self.hold));
        }
        let Some(entry) = &self.hold.entry else {
            return Err(Error::lost(path));
        };
        let cannot = |errno: Errno| Error::io(Action::Inspect, path, errno);
        let (dir, file) = self.hold.descriptors.copy().map_err(cannot)?;
        let found = Found::inherited(file).map_err(cannot)?;
        let plan = Plan {
            target: Target::reopened(dir, self.hold.name.clone(), path.clone())?,
            terms: Terms {
                pid,
                ..self.hold.terms
            },
            purpose: Purpose::Hold,
        };
        let published = publish(&plan, found, entry.is_in_place())?;
        // The old descriptors are closed with `self`, which does not own the file here.
        Ok(PidFile::new(Hold::new(plan, published)))
    }

    /// Whether there is nothing left to adopt. An overwritten record is no reason to give up: the
    /// adoption writes a new one.
    fn is_lost(&self) -> bool {
        self.hold.entry.is_some()
            && matches!(
                self.hold.verify(),
                Err(Lost::Gone | Lost::Replaced | Lost::DescriptorClosed)
            )
    }
}

fn publish(plan: &Plan, found: Found, is_in_place: bool) -> Result<Published> {
    if !is_in_place {
        match adopt::replace(plan, found.id()) {
            Err(refusal) if in_place::is_called_for(&refusal) => {}
            replaced => return replaced,
        }
    }
    in_place::take_over(plan, found)
}
