//! `Reservation`: a pidfile that is held on behalf of a process that does not
//! exist yet, such as a daemon that first makes sure that it is alone and then
//! forks.

use std::fmt;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;

use crate::action::Action;
use crate::cleanup;
use crate::error::{Error, Result};
use crate::guard::PidFile;
use crate::hold::{Hold, Lost};
use crate::open::Found;
use crate::passing::{self, Arrived, Passed};
use crate::plan::{Plan, Purpose, Terms};
use crate::publication::Published;
use crate::target::Target;
use crate::{adopt, directory, in_place, sys};

/// A pidfile that is held on behalf of a process that does not exist yet.
///
/// A daemon reserves before it detaches, so that a refusal still reaches the terminal, and adopts
/// in the process that stays. In between, neither an exit nor a signal removes the file in any of
/// the processes. Only dropping the reservation in the process that made it releases the file. So
/// the parent ends with `_exit` or `std::process::exit`, which run no destructors, or forgets the
/// reservation with [`std::mem::forget`].
///
/// If all of these processes end before the adoption, the file is stale.
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
#[must_use = "the pidfile is released as soon as the reservation is dropped, and `let _ =` drops it at once"]
pub struct Reservation {
    pub(crate) hold: Hold,
    /// For a reservation that was passed across exec: whether its file was written in place.
    arrived_in_place: Option<bool>,
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hold.describe(f, "Reservation")
    }
}

impl PidFile {
    /// Turns the guard into a reservation, for a process that forks later. The child
    /// [adopts](Reservation::adopt) it, and this process forgets it, or ends with `_exit` or
    /// `std::process::exit`.
    ///
    /// From now on, neither an exit nor a signal removes the file.
    pub fn hand_over(self) -> Reservation {
        if let Some(entry) = &self.hold.entry {
            entry.reserve();
        }
        Reservation::new(self.hold)
    }
}

impl Reservation {
    pub(crate) fn new(hold: Hold) -> Reservation {
        Reservation {
            hold,
            arrived_in_place: None,
        }
    }

    /// Lets a command inherit the file: the next version of this program, or this program again.
    /// The command gets the reservation with [`inherited`](Reservation::inherited), and adopts it.
    ///
    /// With [`exec`](std::os::unix::process::CommandExt::exec) the process stays the same. If the
    /// exec fails, [`adopt`](Reservation::adopt) takes the file back.
    ///
    /// With [`spawn`](Command::spawn) both processes run. Dropping the reservation releases the
    /// file, so until the other process has adopted it, end this one with
    /// [`exit`](std::process::exit) or forget the reservation with [`std::mem::forget`]. If the
    /// other process dies before it has adopted the file, `adopt` takes the file back here, too.
    ///
    /// The name is never absent meanwhile, and no third process gets the file. Every process that
    /// the command forks without an exec shares the lock.
    ///
    /// The command finds the file through the environment variable `PIDFILE_INHERITED`, so do not
    /// clear its environment afterwards.
    ///
    /// # Errors
    ///
    /// - [`Lost`](Error::Lost): the path no longer names the reserved file, another process has
    ///   adopted it, or it is the reservation of a second guard.
    /// - [`Config`](Error::Config): with [`lock(false)`](crate::Options::lock) there is no lock to
    ///   inherit.
    ///
    /// # Examples
    ///
    /// An upgrade without a gap:
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::os::unix::process::CommandExt;
    /// use std::process::Command;
    ///
    /// use pidfile::{Options, Reservation};
    ///
    /// let held = match Reservation::inherited()? {
    ///     Some(reserved) => reserved.adopt()?,
    ///     None => Options::new().name("thermod").acquire()?,
    /// };
    ///
    /// // ... on SIGUSR2:
    /// let reserved = held.hand_over();
    /// let mut next = Command::new(std::env::current_exe()?);
    /// reserved.pass_to(&mut next)?;
    /// let error = next.exec(); // Returns only if it fails.
    /// eprintln!("thermod: the old version keeps running: {error}");
    /// let held = reserved.adopt()?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pass_to(&self, command: &mut Command) -> Result<()> {
        let path = &self.hold.path;
        if !self.hold.terms.lock {
            return Err(Error::config(
                "a pidfile with `lock(false)` cannot be passed on: there is no lock to inherit",
            ));
        }
        let Some(in_place) = self.is_in_place().filter(|_| !self.is_lost()) else {
            return Err(Error::lost(path));
        };
        let descriptors = &self.hold.descriptors;
        let passed = Passed::new(
            descriptors.file_number(),
            descriptors.id(),
            &self.hold.terms,
            in_place,
            path,
        );
        passing::send(&passed, command);
        Ok(())
    }

    /// Returns the reservation that was passed to this program with
    /// [`pass_to`](Reservation::pass_to). Returns `None` if none was passed, and on every later
    /// call.
    ///
    /// Call it first in `main`. It removes the environment variable through which it finds the
    /// file, and that is sound only while there is one thread. (If the variable stays, later
    /// programs ignore it.) The mode, the owner, `at_exit` and `signals` are those that the file
    /// was acquired with.
    ///
    /// # Security
    ///
    /// The variable alone is not trusted: it names a descriptor and a path, and the descriptor must
    /// have the lock of the file at that path. After a privileged start (set-uid, set-gid, file
    /// capabilities) the variable is ignored. A program that accepts only one path must compare it
    /// with [`path`](Reservation::path).
    ///
    /// # Errors
    ///
    /// - [`Config`](Error::Config): the variable was not set by `pass_to`, or is about another
    ///   file. Nothing is held, and nothing was changed.
    /// - [`Lost`](Error::Lost): the path no longer names the file.
    /// - [`Io`](Error::Io): a system call failed.
    pub fn inherited() -> Result<Option<Reservation>> {
        let Some(arrived) = passing::receive()? else {
            return Ok(None);
        };
        directory::note_root();
        let Arrived {
            target,
            found,
            terms,
            in_place,
        } = arrived;
        let plan = Plan {
            target,
            terms,
            purpose: Purpose::Reserve,
        };
        Ok(Some(Reservation {
            hold: Hold::second(plan, found),
            arrived_in_place: Some(in_place),
        }))
    }

    /// The absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.hold.path
    }

    /// Makes this process the holder: records its id, and removes the file when it ends.
    ///
    /// After a fork or an exec the file is replaced with a new one, whose lock no other process
    /// shares. The name never disappears. A file that was written in place, or whose directory this
    /// process can no longer write to, is rewritten in place instead. Its lock stays shared with
    /// the processes forked since the reservation, and is free only when the last of them has
    /// ended.
    ///
    /// # Errors
    ///
    /// - [`Lost`](Error::Lost): the path no longer names the reserved file, another process has
    ///   adopted it, or the program has closed its descriptor. This is also the error for the
    ///   reservation of a second guard (see
    ///   [`allow_same_process`](crate::Options::allow_same_process)) after a fork.
    /// - [`NotPidfile`](Error::NotPidfile), [`Insecure`](Error::Insecure): the new file first gets
    ///   the name `.NAME.adopt`, and that name belongs to something else.
    /// - [`Io`](Error::Io): a system call failed. The file is stale once the parent has ended.
    pub fn adopt(self) -> Result<PidFile> {
        let pid = cleanup::enrol();
        let path = &self.hold.path;
        if self.is_lost() {
            return Err(Error::lost(path));
        }
        sys::keep(self.hold.descriptors.file_number()); // After an exec that has failed.
        if self.arrived_in_place.is_none() && self.hold.is_owned() {
            if let Some(entry) = &self.hold.entry {
                entry.adopt();
            }
            return Ok(PidFile::new(self.hold));
        }
        let Some(in_place) = self.is_in_place() else {
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
        let published = publish(&plan, found, in_place)?;
        // The old descriptors are closed with `self`, which does not own the file here.
        Ok(PidFile::new(Hold::new(plan, published)))
    }

    /// Whether the file was written in place; `None` for a second guard, which has nothing to
    /// adopt.
    fn is_in_place(&self) -> Option<bool> {
        match &self.hold.entry {
            Some(entry) => Some(entry.is_in_place()),
            None => self.arrived_in_place,
        }
    }

    /// Whether there is nothing left to adopt. An overwritten record does not count, because the
    /// adoption writes a new one.
    fn is_lost(&self) -> bool {
        self.is_in_place().is_some()
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
