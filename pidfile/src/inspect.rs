//! Inspect what has the name, for a start and for `status`: lock, same file?,
//! read, judge.
//!
//! One routine serves both. It cannot describe a state that never existed,
//! because the name is compared once the lock is taken, and the record is read
//! under the lock.

use std::os::fd::AsRawFd;

use nix::libc;

use crate::cleanup;
use crate::error::{Error, Result};
use crate::lock::TryLock;
use crate::open::Found;
use crate::options::Options;
use crate::process;
use crate::sys::LockKind;
use crate::target::Target;
use crate::verdict::{self, Facts, Rule, Verdict};

/// How often other processes may replace the file while it is inspected.
pub(crate) const ROUNDS: usize = 100;

/// Who inspects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// A start, which keeps the lock of a stale file.
    Take,
    /// A reader, which keeps nothing.
    Look,
}

/// What an inspection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// The name means another file now, or none.
    Moved,
    /// This process holds it.
    Own,
    /// Another process holds it; its id, if that is certain.
    Held(Option<u32>),
    /// No process holds it, but the recorded one is alive, and that counts.
    Live(u32),
    /// No process holds it; the recorded process, if there is one.
    Stale(Option<u32>),
    /// It is not a pidfile, for this reason.
    Foreign(String),
}

/// Inspects an open file.
pub(crate) fn inspect(
    options: &Options,
    target: &Target,
    found: &Found,
    interest: Interest,
) -> Result<State> {
    match lock_and_judge(options, target, found, interest) {
        // Some FUSE file systems, and NFS, cannot reach an open file any more once it is removed.
        Err(Error::Io { source, .. })
            if matches!(source.raw_os_error(), Some(libc::ENOENT | libc::ESTALE))
                && !target.names(found.id())? =>
        {
            Ok(State::Moved)
        }
        state => state,
    }
}

fn lock_and_judge(
    options: &Options,
    target: &Target,
    found: &Found,
    interest: Interest,
) -> Result<State> {
    let kind = match interest {
        // Another user's file is not taken over, so a reader's lock is enough to check it.
        Interest::Take if found.is_trusted => LockKind::Exclusive,
        Interest::Take | Interest::Look => LockKind::Shared,
    };
    if options.lock {
        match found.lock(target, kind)? {
            TryLock::Locked => {}
            TryLock::Moved => return Ok(State::Moved),
            TryLock::Held(_) if is_own(found, options.lock) => return Ok(State::Own),
            TryLock::Held(pid) => return Ok(State::Held(pid)),
        }
    } else if is_own(found, options.lock) {
        return Ok(State::Own);
    }
    let state = judge(options, target, found)?;
    let is_wanted = interest == Interest::Take && matches!(state, State::Stale(_));
    if options.lock && !is_wanted {
        found.unlock();
    }
    Ok(state)
}

/// Whether the file is held by this process. Inode numbers are reused, so where there is a lock,
/// the lock decides.
fn is_own(found: &Found, locked: bool) -> bool {
    cleanup::is_held(|numbers| {
        numbers.id == found.id()
            && numbers.file != found.file.as_raw_fd()
            && if locked {
                numbers.has_lock()
            } else {
                !numbers.file_is_lost()
            }
    })
}

fn judge(options: &Options, target: &Target, found: &Found) -> Result<State> {
    if !target.names(found.id())? {
        return Ok(State::Moved);
    }
    let record = found.read(target)?;
    let facts = Facts {
        own: std::process::id(),
        is_alive: process::is_alive,
        is_another_program: process::is_another_program,
    };
    Ok(match verdict::judge(&record, rule(options), facts) {
        Verdict::Stale => State::Stale(record.pid()),
        Verdict::Live(pid) => State::Live(pid),
        Verdict::Foreign(why) => State::Foreign(why),
    })
}

/// Which facts decide under these options.
fn rule(options: &Options) -> Rule {
    match (options.lock, options.refuse_live) {
        (false, _) => Rule::Process,
        (true, true) => Rule::LockAndProgram,
        (true, false) => Rule::Lock,
    }
}
