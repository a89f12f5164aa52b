//! `Holder`: the process that holds a pidfile, as one particular process and not
//! as a number.
//!
//! A program that reads a number and signals it reaches whichever process has
//! the number by then. Here the steps are: the lock is held; the record names a
//! process; a handle on that process is opened; that process has the lock; and
//! the lock is still held and the record unchanged. Only then does the handle
//! stand for the holder. All of it is checked again before every signal.

use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;

use crate::action::Action;
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::inspect::{Interest, ROUNDS, State, inspect};
use crate::locked::Locked;
use crate::message::Described;
use crate::open::{self, Access};
use crate::options::Options;
use crate::ownership::Ownership;
use crate::process::{self, Portrait};
use crate::signal_number::Signal;
use crate::target::Target;
use crate::{log, path, sys, wait};

/// The process that holds a pidfile.
///
/// It stands for one particular process. A signal reaches this process or none: a process that was
/// given the same id later, or that is merely named in the file, is never signalled.
///
/// # Platform-specific behavior
///
/// On Linux the process is identified by a pidfd, and the kernel reports whether it has the lock.
/// Other kernels do not report which process has a lock, so there the holder is the process that
/// the locked file names. On macOS and the BSDs a kqueue reports its end. Between that check and
/// the signal there is an instant in which another process could be given the id. The same is true
/// of Linux before 5.3.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> pidfile::Result<()> {
/// use std::time::Duration;
///
/// match pidfile::holder("/run/thermod.pid")? {
///     Some(thermod) => thermod.stop(Duration::from_secs(10))?,
///     None => println!("thermod is not running"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Holder {
    file: Locked,
    handle: Handle,
    program: Option<String>,
    uid: Option<u32>,
}

/// Returns the process that holds the pidfile at `path`: [`Options::holder`] with all defaults.
///
/// # Errors
///
/// The same as for [`Options::holder`].
pub fn holder(path: impl AsRef<Path>) -> Result<Option<Holder>> {
    Options::new().path(path).holder()
}

impl Options {
    /// Returns the process that holds the pidfile; `None` if no process does.
    ///
    /// This never changes or creates anything, and never makes another process's start fail. A
    /// program that locks its file with `fcntl` or `lockf` is a holder, too.
    ///
    /// # Errors
    ///
    /// - [`UnknownHolder`](Error::UnknownHolder): the file is held, but by a process that it does
    ///   not name or that cannot be identified. With [`lock(false)`](Options::lock), nothing proves
    ///   that the process that the file names holds it.
    /// - [`NotPidfile`](Error::NotPidfile): the path names something else.
    /// - Otherwise the same as for [`status`](Options::status).
    pub fn holder(&self) -> Result<Option<Holder>> {
        Ownership::resolve(self)?; // Options that contradict each other are an error here, too.
        wait::patience(self)?;
        for _ in 0..ROUNDS {
            let Some(target) = Target::open_if_there(path::resolve(self)?)? else {
                return Ok(None);
            };
            let Some(found) = open::open(&target, Access::Look)? else {
                return Ok(None);
            };
            let locker = match inspect(self, &target, &found, Interest::Look)? {
                State::Moved => continue,
                State::Foreign(why) => return Err(target.not_a_pidfile(why)),
                State::Own => Some(std::process::id()),
                // Without a lock there is only the number, which proves nothing.
                State::Live(pid) if !self.lock => {
                    return Err(Error::unknown_holder(&target.path, None, Some(pid)));
                }
                State::Stale(_) | State::Live(_) => return Ok(None),
                State::Held(locker) => locker,
            };
            if let Some(holder) = Holder::identify(Locked::new(target, found), locker)? {
                return Ok(Some(holder));
            }
        }
        Err(Error::Contended {
            path: self.resolved_path()?,
        })
    }
}

impl Holder {
    /// The process that has the lock and is named in the file; `None` if this changes meanwhile.
    fn identify(file: Locked, locker: Option<u32>) -> Result<Option<Holder>> {
        let recorded = file.recorded()?;
        let Some(pid) = locker.filter(|_| locker == recorded) else {
            let unknown = Error::unknown_holder(file.path(), locker, recorded);
            return if file.is_free()? {
                Ok(None)
            } else {
                Err(unknown)
            };
        };
        let handle =
            Handle::open(pid).map_err(|errno| Error::io(Action::Inspect, file.path(), errno))?;
        let Some(handle) = handle else {
            return Ok(None);
        };
        let Portrait { program, .. } = Portrait::of(pid);
        let holder = Holder {
            program,
            uid: process::uid(pid),
            file,
            handle,
        };
        // What was read by number is about this process only if it still exists now.
        Ok(holder.holds()?.then_some(holder))
    }

    /// Returns its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.handle.pid()
    }

    /// Returns the absolute path of the file that it holds.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Returns its command name, if it is known. A process can choose its own command name.
    #[must_use]
    pub fn program(&self) -> Option<&str> {
        self.program.as_deref()
    }

    /// Returns the id of its effective user, if it is known.
    #[must_use]
    pub fn uid(&self) -> Option<u32> {
        self.uid
    }

    /// Whether it is suspended now (SIGSTOP, Ctrl-Z); `false` if the system does not report it.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        process::is_suspended(self.pid()) && !self.handle.has_ended()
    }

    /// Sends it a signal: most daemons reload their configuration on [`Signal::HUP`].
    ///
    /// # Errors
    ///
    /// [`Io`](Error::Io): the process has ended or no longer holds the file (`ESRCH`), it belongs
    /// to another user (`EPERM`), or the signal does not exist (`EINVAL`).
    pub fn signal(&self, signal: Signal) -> Result<()> {
        if self.holds()? {
            let sent = self.handle.signal(signal.as_raw());
            return sent.map_err(|errno| self.cannot_signal(errno));
        }
        match self.renewed()? {
            Some(renewed) => renewed.signal(signal),
            None => Err(self.cannot_signal(Errno::ESRCH)),
        }
    }

    /// Waits until it has ended and the file is free, for at most `timeout`, or without a limit if
    /// that is `None`. Returns `false` if the time is up first.
    ///
    /// A worker that the process forked may keep the lock after it has ended. The file is also free
    /// once the name means another file or none, as it does after a process that cleaned up.
    ///
    /// # Errors
    ///
    /// - [`Config`](Error::Config): this process holds the file itself.
    /// - [`Io`](Error::Io): a system call failed.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.refuse_own()?;
        let deadline = Deadline::after(timeout);
        Ok(self.handle.wait(deadline) && self.file.wait_until_free(deadline)?)
    }

    /// Asks it to end with SIGTERM, and waits until it has ended and the file is free, for at most
    /// `patience`. SIGCONT follows, because a suspended process would not act on SIGTERM.
    ///
    /// It also succeeds if the process has already ended or no longer holds the file.
    ///
    /// # Errors
    ///
    /// - [`StillRunning`](Error::StillRunning): the process has not ended in that time, or a worker
    ///   that it forked keeps the lock.
    /// - [`UnknownHolder`](Error::UnknownHolder): it has ended, and a process that cannot be
    ///   identified keeps the lock. Or it is no longer certain that it is this process that has the
    ///   lock, and then no signal was sent.
    /// - [`Config`](Error::Config): this process holds the file itself.
    /// - [`Io`](Error::Io): the process belongs to another user (`EPERM`), or a system call failed.
    pub fn stop(&self, patience: Duration) -> Result<()> {
        self.end_by(&[Signal::TERM, Signal::CONT], patience)
    }

    /// Ends it with SIGKILL, and waits as [`stop`](Holder::stop) does. The process cannot clean up,
    /// so a stale file is left behind.
    ///
    /// # Errors
    ///
    /// The same as for [`stop`](Holder::stop).
    pub fn kill(&self, patience: Duration) -> Result<()> {
        self.end_by(&[Signal::KILL], patience)
    }

    fn end_by(&self, signals: &[Signal], patience: Duration) -> Result<()> {
        self.refuse_own()?;
        let deadline = Deadline::after(Some(patience));
        if self.holds()? {
            log::stopping(self.path(), self.pid());
            for (position, signal) in signals.iter().enumerate() {
                match self.handle.signal(signal.as_raw()) {
                    Ok(()) | Err(Errno::ESRCH) => {}
                    // Ignored: the first signal was accepted and is on its way.
                    Err(_) if position > 0 => {}
                    Err(errno) => return Err(self.cannot_signal(errno)),
                }
            }
        } else if !self.handle.has_ended() {
            return match self.renewed()? {
                Some(renewed) => renewed.end_by(signals, deadline.left()),
                None if self.file.is_free()? => Ok(()), // It runs on, but without the file.
                None => Err(self.file.unknown()?),
            };
        }
        if !self.handle.wait(deadline) {
            return Err(Error::still_running(
                self.path(),
                self.pid(),
                None,
                patience,
            ));
        }
        if self.file.wait_until_free(deadline)? {
            return Ok(());
        }
        Err(match self.file.heir() {
            Some(heir) => Error::still_running(self.path(), heir, Some(self.pid()), patience),
            None => Error::unknown_holder(self.path(), None, Some(self.pid())),
        })
    }

    /// Whether this process holds the file now.
    fn holds(&self) -> Result<bool> {
        let pid = self.pid();
        let has_lock = self.file.is_locked_by(pid)
            && !self.file.is_free()?
            && self.file.recorded()? == Some(pid);
        // Only if the process is still alive was the number its own all the time.
        Ok(has_lock && !self.handle.has_ended())
    }

    /// The same process, if it holds another file under the same name by now, for example after an
    /// upgrade by [`pass_to`](crate::Reservation::pass_to).
    fn renewed(&self) -> Result<Option<Holder>> {
        if self.handle.has_ended() || !self.file.has_moved()? {
            return Ok(None);
        }
        let now = holder(self.path())?;
        Ok(now.filter(|now| now.pid() == self.pid() && !self.handle.has_ended()))
    }

    fn refuse_own(&self) -> Result<()> {
        if self.pid() == sys::pid() {
            return Err(Error::config(format!(
                "{} is held by this process, which cannot wait for its own end; release the guard instead",
                self.path().display()
            )));
        }
        Ok(())
    }

    fn cannot_signal(&self, errno: Errno) -> Error {
        Error::io(Action::Signal, self.path(), errno).advise(|_| match errno {
            Errno::ESRCH => Some(format!("process {} no longer holds it", self.pid())),
            Errno::EPERM => Some(format!(
                "it is {}; try again as that user, or as root",
                Described(self.pid(), &Portrait::of(self.pid()))
            )),
            _ => None,
        })
    }
}
