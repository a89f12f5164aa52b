//! Look at what has the name: may we have it, or does somebody hold it?
//!
//! look -> open -> lock -> same file? -> read -> judge, and where the answer is
//! "held" and the caller is patient: sleep, and judge again.

use crate::draft::Plan;
use crate::error::{Error, Result};
use crate::lock::{self, Access, Attempt, Found};
use crate::options::Options;
use crate::sys::LockKind;
use crate::target::Target;
use crate::verdict::{self, Facts, Rule, Verdict};
use crate::wait::Waiter;
use crate::{cleanup, log, process};

/// How often others may replace the file under our hands.
pub(crate) const ROUNDS: usize = 100;

/// What has the name, if it does not refuse the start.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Nothing, any more.
    Nothing,
    /// A stale pidfile, locked by us, and whom it names.
    Stale(Found, Option<u32>),
    /// This process's own, and that is allowed.
    Ours(Found),
}

/// Looks, and refuses the start if somebody holds the file for longer than the waiter waits.
pub(crate) fn look(options: &Options, plan: &Plan, waiter: &mut Waiter) -> Result<Seen> {
    let target = &plan.target;
    let access = Access::Take {
        owner: plan.ownership.uid,
    };
    let Some(found) = lock::open(target, access)? else {
        return Ok(Seen::Nothing);
    };
    if options.allow_same_process && cleanup::holds(found.id()) {
        return Ok(Seen::Ours(found));
    }
    let mut told = false;
    loop {
        let refusal = match judge(options, plan, &found)? {
            Judged::Moved => return Ok(Seen::Nothing),
            Judged::Stale(pid) => return Ok(Seen::Stale(found, pid)),
            Judged::Refused(refusal) => refusal,
        };
        if !waiter.is_patient() {
            return Err(refusal);
        }
        if !told {
            log::waiting_for(&target.path, refusal.pid());
            told = true;
        }
        match refusal {
            Error::Running { pid, .. } => waiter.wait(&found, || {
                Ok(!target.names(found.id())? || !process::is_alive(pid))
            })?,
            _ if options.lock => waiter.wait(&found, || found.may_be_free(target))?,
            // Held by this process, which does not lock either.
            _ => waiter.wait(&found, || {
                Ok(!target.names(found.id())? || !cleanup::holds(found.id()))
            })?,
        }
    }
}

enum Judged {
    /// The name means another file now, or none.
    Moved,
    /// Free to be taken over; whom it names.
    Stale(Option<u32>),
    /// Held, and how to say so.
    Refused(Error),
}

fn judge(options: &Options, plan: &Plan, found: &Found) -> Result<Judged> {
    let target = &plan.target;
    if options.lock {
        match found.lock(target, LockKind::Exclusive)? {
            Attempt::Locked => {}
            Attempt::Held(pid) => {
                return Ok(Judged::Refused(locked(
                    target,
                    pid,
                    cleanup::holds(found.id()),
                )));
            }
            Attempt::Moved => return Ok(Judged::Moved),
        }
    } else if cleanup::holds(found.id()) {
        // The record names this process, which would make it stale.
        return Ok(Judged::Refused(locked(target, Some(plan.pid), true)));
    }
    if !target.names(found.id())? {
        return Ok(Judged::Moved);
    }
    let record = found.read(target)?;
    match verdict::judge(&record, rule(options), facts(plan.pid)) {
        Verdict::Stale => Ok(Judged::Stale(record.pid())),
        Verdict::Live(pid) => {
            found.unlock(); // It was not ours to take.
            let path = target.path.clone();
            Ok(Judged::Refused(Error::Running {
                path,
                pid,
                program: process::name(pid),
            }))
        }
        Verdict::Foreign(why) => Err(target.not_a_pidfile(why)),
    }
}

fn locked(target: &Target, pid: Option<u32>, own: bool) -> Error {
    Error::Locked {
        path: target.path.clone(),
        pid,
        program: pid.and_then(process::name),
        own,
    }
}

/// Which facts decide under these options.
pub(crate) fn rule(options: &Options) -> Rule {
    match (options.lock, options.refuse_live) {
        (false, _) => Rule::Process,
        (true, true) => Rule::LockAndProgram,
        (true, false) => Rule::Lock,
    }
}

/// The facts that the system knows.
pub(crate) fn facts(own: u32) -> Facts {
    Facts {
        own,
        is_alive: process::is_alive,
        is_another_program: process::is_another_program,
    }
}
