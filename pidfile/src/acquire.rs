//! The pipeline: every step from options to guard, in order.
//!
//! ```text
//! resolve -> draft -> arm -> publish -> guard          the name was free
//!                            \-> open -> inspect (lock, same file?, read, judge)
//!                                        \-> publish, or take over in place
//! ```
//!
//! The common case is tried first: publishing shows whether the name is free.
//! What is there is inspected only if the name is taken or no file can be
//! created.

use std::path::PathBuf;

use crate::draft::Draft;
use crate::error::{Error, Result};
use crate::guard::PidFile;
use crate::hold::Hold;
use crate::inspect::{Interest, ROUNDS, State, inspect};
use crate::notice::Waiting;
use crate::open::{self, Access, Found};
use crate::options::Options;
use crate::ownership::Ownership;
use crate::plan::{Plan, Purpose};
use crate::publication::{Publication, Published};
use crate::publish::publish;
use crate::reservation::Reservation;
use crate::target::Target;
use crate::wait::Waiter;
use crate::{adopt, cleanup, in_place, log, path, process, wait};

impl Options {
    /// Acquires the pidfile, and holds it until the guard is released or dropped, or the process
    /// ends.
    ///
    /// # Errors
    ///
    /// - [`Locked`](Error::Locked): another process holds it, or this one already does; with
    ///   [`wait`](Options::wait), it was still held when the time was up.
    /// - [`Running`](Error::Running): with `refuse_live(true)` or `lock(false)`, the recorded
    ///   process is alive.
    /// - [`StillRunning`](Error::StillRunning), [`UnknownHolder`](Error::UnknownHolder): with
    ///   [`replace`](Options::replace), the holder did not end in time, or could not be identified.
    /// - [`NotPidfile`](Error::NotPidfile): the path names something else, which was not touched.
    /// - [`Insecure`](Error::Insecure): the file is stale but belongs to another user, or a
    ///   directory would have to be created where other users can write.
    /// - [`Config`](Error::Config): the options contradict each other, or one of them is invalid.
    /// - [`Unsupported`](Error::Unsupported): the file system does not support `flock`, or its
    ///   locks do not exclude another process.
    /// - [`Contended`](Error::Contended): other processes kept replacing the file.
    /// - [`Io`](Error::Io): a system call failed.
    pub fn acquire(&self) -> Result<PidFile> {
        acquire(self, Purpose::Hold).map(PidFile::new)
    }

    /// Acquires the pidfile on behalf of a process that does not exist yet: a daemon reserves
    /// before it forks, and adopts afterwards.
    ///
    /// # Errors
    ///
    /// The same as for [`acquire`](Options::acquire).
    pub fn reserve(&self) -> Result<Reservation> {
        acquire(self, Purpose::Reserve).map(Reservation::new)
    }

    /// Returns the absolute path that [`acquire`](Options::acquire) would use now, without creating
    /// anything.
    ///
    /// # Errors
    ///
    /// - [`Config`](Error::Config): the options contradict each other, or one of them is invalid.
    /// - [`Insecure`](Error::Insecure): another user controls the directory of `RUNTIME_DIRECTORY`.
    /// - [`Io`](Error::Io): the directory of `RUNTIME_DIRECTORY` cannot be used, or the path is
    ///   relative and the current directory cannot be determined.
    pub fn resolved_path(&self) -> Result<PathBuf> {
        Ownership::resolve(self)?;
        wait::patience(self)?;
        path::resolve(self).map(|place| place.into_path_and_name().0)
    }
}

/// Acquires the pidfile for this process, or for one that does not exist yet.
fn acquire(options: &Options, purpose: Purpose) -> Result<Hold> {
    let mut waiter = Waiter::new(wait::patience(options)?);
    let plan = Plan::new(options, purpose)?;
    log::resolved(&plan.target.path);
    match publish_or_find(options, &plan, &mut waiter)? {
        Taken::Published(published) => {
            waiter.served();
            if purpose == Purpose::Reserve {
                // A program that reserves has adopted before. The others need no look at a name that
                // they never use. Ignored: it blocks no start.
                let _ = adopt::remove_leftover(&plan.target);
            }
            log::published(&plan.target.path, plan.terms.pid);
            Ok(Hold::new(plan, published))
        }
        Taken::Own(found) => Ok(Hold::second(plan, found)),
    }
}

/// How a pidfile was acquired.
enum Taken {
    Published(Published),
    /// This process holds it already, and that is allowed.
    Own(Found),
}

fn publish_or_find(options: &Options, plan: &Plan, waiter: &mut Waiter) -> Result<Taken> {
    // A draft that cannot be made is not reported yet: if there is a holder, that is the more
    // useful error.
    let mut draft = Draft::make(plan);
    let mut stale = None;
    let mut rounds = 0..ROUNDS;
    // A waiter is limited by time alone, not by rounds.
    while rounds.next().is_some() || waiter.is_patient() {
        let locked = stale.take();
        let (next, kept) = match draft {
            Ok(drafted) => match publish(drafted, plan, locked)? {
                Publication::Published(published) => return Ok(Taken::Published(published)),
                Publication::Taken(drafted) => (Ok(drafted), None),
                Publication::Refused(refusal, kept) => (Err(refusal), kept),
            },
            Err(refusal) => (Err(refusal), locked),
        };
        draft = match (next, kept) {
            (Err(refusal), Some(found)) if in_place::is_called_for(&refusal) => {
                return in_place::take_over(plan, found).map(Taken::Published);
            }
            (Err(refusal), Some(_)) => return Err(refusal),
            (next, _) => next,
        };
        match find(options, plan, waiter)? {
            Seen::Own(found) => return Ok(Taken::Own(found)),
            Seen::Stale(found) => stale = Some(found),
            // Nothing is in the way, so if no file could be made, that is the error to report.
            Seen::Nothing => draft = Ok(draft?),
        }
    }
    Err(plan.target.contended())
}

/// What has the name, if it does not prevent the start.
enum Seen {
    /// Nothing any more.
    Nothing,
    /// A stale pidfile, which we have locked.
    Stale(Found),
    /// The file that this process holds already, and that is allowed.
    Own(Found),
}

/// Inspects what has the name, and refuses the start if a process holds it for longer than the
/// waiter waits.
fn find(options: &Options, plan: &Plan, waiter: &mut Waiter) -> Result<Seen> {
    let target = &plan.target;
    let access = Access::Take {
        owner: plan.terms.ownership.uid,
    };
    let Some(found) = open(target, access, waiter)? else {
        return Ok(Seen::Nothing);
    };
    loop {
        let refusal = match inspect(options, target, &found, Interest::Take)? {
            State::Moved => return Ok(Seen::Nothing),
            State::Own if options.allow_same_process => return Ok(Seen::Own(found)),
            State::Foreign(why) => return Err(target.not_a_pidfile(why)),
            State::Stale(replaced) => {
                if let Some(refusal) = found.refusal_of_owner(target) {
                    found.unlock();
                    return Err(refusal);
                }
                log::taking_over(&target.path, replaced);
                // Ignored: it blocks no start.
                let _ = adopt::remove_leftover(target);
                return Ok(Seen::Stale(found));
            }
            // Without a lock it is the recorded process that blocks the start, here this one.
            State::Own if !options.lock => Error::running(&target.path, plan.terms.pid),
            State::Own => Error::locked_by_us(&target.path),
            State::Held(pid) => {
                // A file that cannot be read names no process.
                let recorded = found.read(target).ok().and_then(|record| record.pid());
                Error::locked(&target.path, pid).naming(recorded)
            }
            State::Live(pid) => Error::running(&target.path, pid),
        };
        let refusal = match options.replace {
            None => refusal,
            Some(replacement) => match (replacement.stop)(options, refusal, waiter.left())? {
                None => continue,
                Some(refusal) => refusal,
            },
        };
        if !waiter.is_patient() {
            return Err(refusal.after(waiter.time()));
        }
        if waiter.begins() {
            log::waiting_for(&target.path, refusal.pid());
            if let (Some(notice), Some(time)) = (&options.on_wait, waiter.time()) {
                notice.call(&Waiting::new(&target.path, refusal.pid(), time));
            }
        }
        wait_for(options, plan, &found, &refusal, waiter)?;
    }
}

/// Opens what has the name, and waits for a program that keeps it from being opened.
fn open(target: &Target, access: Access, waiter: &mut Waiter) -> Result<Option<Found>> {
    loop {
        match open::open(target, access) {
            // No sleep is needed: the attempt itself took a second.
            Err(Error::Contended { .. }) if waiter.is_patient() => {}
            opened => return opened,
        }
    }
}

/// Sleeps until the reason for the refusal may be gone.
fn wait_for(
    options: &Options,
    plan: &Plan,
    found: &Found,
    refusal: &Error,
    waiter: &mut Waiter,
) -> Result<()> {
    let target = &plan.target;
    let has_moved = || Ok(!target.names(found.id())?);
    waiter.wait(found, &mut || match refusal {
        Error::Running { pid, .. } if *pid != plan.terms.pid => {
            Ok(has_moved()? || !process::is_alive(*pid))
        }
        _ if options.lock => Ok(found.may_be_free(target)?
            || options
                .replace
                .is_some_and(|replacement| (replacement.is_promising)(options))),
        // Held by this process without a lock.
        _ => Ok(has_moved()? || !cleanup::is_held(|numbers| numbers.id == found.id())),
    })
}
