//! The pipeline: every step from options to guard, in order.
//!
//! ```text
//! resolve -> draft -> arm -> publish -> guard        the name was free
//!                        \-> look (open, lock, same file?, read, judge) -> publish
//!                                                    \-> take over in place
//! ```
//!
//! The common case is tried first: whether the name is free is asked by
//! publishing. Only when it is taken, or no file can be made, does anybody look
//! at what is there.

use crate::cleanup::{self, Ways};
use crate::draft::{Draft, Plan};
use crate::error::{Error, Result};
use crate::hold::Hold;
use crate::look::{self, ROUNDS, Seen};
use crate::options::Options;
use crate::ownership::Ownership;
use crate::publish::{self, Attempt, Published};
use crate::target::Target;
use crate::wait::Waiter;
use crate::{adopt, in_place, log, path};

/// Takes the pidfile, for this process or for one to come.
pub(crate) fn acquire(options: &Options, reserved: bool) -> Result<Hold> {
    let mut waiter = Waiter::new(options.wait);
    let pid = cleanup::enrol();
    let ownership = Ownership::resolve(options)?;
    let target = Target::open_or_make(path::resolve(options)?)?;
    log::resolved(&target.path);
    let Options {
        at_exit,
        signals,
        lock,
        ..
    } = *options;
    let ways = Ways {
        at_exit,
        signals,
        in_place: false,
        reserved,
    };
    let plan = Plan {
        target,
        ownership,
        pid,
        lock,
        ways,
    };

    // A draft that cannot be made is no reason to fail before a holder was looked for.
    let mut draft = Draft::make(&plan);
    let mut stale = None;
    let mut round = 0;
    // For those who wait, only the time counts.
    while round < ROUNDS || waiter.is_patient() {
        round += 1;
        let attempt = match draft {
            Ok(draft) => publish::publish(draft, &plan, stale)?,
            Err(refusal) => match stale {
                None => Attempt::Taken(Err(refusal)),
                Some(found) if in_place::is_called_for(&refusal) => Attempt::InTheWay(found),
                Some(_) => return Err(refusal),
            },
        };
        draft = match attempt {
            Attempt::Published(published) => return Ok(hold(plan, published, waiter)),
            Attempt::InTheWay(found) => {
                let published = in_place::take_over(&plan, found)?;
                return Ok(hold(plan, published, waiter));
            }
            Attempt::Taken(draft) => draft,
        };
        stale = match look::look(options, &plan, &mut waiter)? {
            Seen::Ours(found) => return Ok(Hold::second(plan, found)),
            Seen::Stale(found, replaced) => {
                log::taking_over(&plan.target.path, replaced);
                adopt::remove_leftover(&plan.target);
                Some(found)
            }
            Seen::Nothing => {
                draft = Ok(draft?); // Nothing is in the way, and still no file can be made.
                None
            }
        };
    }
    Err(Error::Contended {
        path: plan.target.path,
    })
}

fn hold(plan: Plan, published: Published, waiter: Waiter) -> Hold {
    waiter.served();
    log::published(&plan.target.path, plan.pid);
    Hold::new(plan, published)
}
