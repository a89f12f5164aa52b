//! The registry beside the pipeline: which files this process has to clean up,
//! however it ends.
//!
//! Whoever publishes a file enters it here *before* its name exists, and the
//! release, the exit hook and the signal handler find it here. It knows names,
//! owners and descriptors, and nothing of options or guards.
//!
//! # States
//!
//! ```text
//! VACANT -> FILLING -> PUBLISHING -> ARMED -> CLAIMED -> SPENT -> VACANT
//!                       |      ^       |       |
//!                       |      '-------'       '--> VACANT
//!                       '--> VACANT
//! ```
//!
//! - VACANT -> FILLING: a publisher takes the slot, by compare-and-swap.
//! - FILLING -> PUBLISHING: owner, descriptors, inode and name are stored. From
//!   here to ARMED the publisher has all signals blocked, so that no handler
//!   on its own thread can meet the slot; an ending on another thread waits.
//! - PUBLISHING -> ARMED: the name exists and is ours. -> VACANT: it was taken, or
//!   could not be made.
//! - ARMED -> PUBLISHING: a draft under a hidden name is about to get its own.
//! - ARMED -> CLAIMED: one of release, exit and signal wins the compare-and-swap
//!   and scrubs, with signals blocked; the losers wait for it.
//! - CLAIMED -> VACANT: scrubbed by the release. -> SPENT: by an exit or a signal,
//!   while the guard may still look at it.
//! - SPENT -> VACANT: the guard was dropped after all.
//!
//! No wait lasts longer than a second: a thread that is stuck in a file system
//! must not keep the process from ending. A file left behind is stale, no more.
//!
//! # Ending
//!
//! An ending thread says so (`ending`) and then reads the slots; a publisher writes
//! PUBLISHING and then asks. Both are `SeqCst`, so at least one sees the other:
//! either the ender waits for the name and removes it, or the publisher holds
//! back.
//!
//! # Owners
//!
//! Every slot remembers the process that filled it. A forked child inherits the
//! table and does nothing with its parent's entries; a `vfork` child, which
//! shares the table with its parent, does not even write `ending`.

mod ending;
mod exit;
mod scrub;
mod signal;
mod table;

use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use nix::errno::Errno;

use crate::descriptor::Held;
use crate::sys::{self, FileId};
use table::{Phase, Slot, TABLE, Word};

pub(crate) use scrub::Outcome;
pub(crate) use table::{NAME_SIZE, Ways};

/// The longest wait for another thread, in milliseconds.
const PATIENCE: u32 = 1000;

/// The process that last took part; entries of a process that never did are its parent's.
static MEMBER: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the start of the program.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The process of that id, and none of those that it was forked from. The id alone does not tell:
/// the first process of a new pid namespace is 1, and so may its parent be.
fn identity(pid: u32) -> u64 {
    (u64::from(FORKS.load(SeqCst)) << 32) | u64::from(pid)
}

/// Makes this process one that cleans up after itself, and tells its id.
///
/// Called long before the first entry is armed, so that a signal in between finds a member.
pub(crate) fn enrol() -> u32 {
    let pid = sys::pid();
    MEMBER.store(identity(pid), SeqCst);
    pid
}

/// Cleans up everything that this process holds, now: for programs that end in a way which runs no
/// exit handlers, such as `_exit`, `abort`, or `emulate_default_handler` of the crate signal-hook.
///
/// It also removes what was acquired with `at_exit(false)` or `signals(false)`, but not a
/// [`Reservation`](crate::Reservation). The guards stay valid; releasing them later is a success
/// that does nothing. Calling it in a process that holds nothing does nothing either, and so does
/// calling it in a forked child.
///
/// This function is async-signal-safe (POSIX.1-2017, section 2.4.3): it may be called in a signal
/// handler. If another thread is just acquiring or releasing, it waits for that, at most a second.
///
/// # Examples
///
/// ```no_run
/// # fn main() -> pidfile::Result<()> {
/// let _held = pidfile::PidFile::acquire("/run/thermod.pid")?;
/// // ... something is wrong beyond repair:
/// pidfile::cleanup();
/// std::process::abort();
/// # }
/// ```
pub fn cleanup() {
    let errno = Errno::last_raw();
    {
        let _blocked = Blocked::new();
        // Whether there was anything to clean up makes no difference to the caller.
        let _ = scrub::end(scrub::End::Call);
    }
    Errno::set_raw(errno);
}

/// Whether this process holds that file, which the caller has found under its name. The name may
/// be so new that its entry is still PUBLISHING.
pub(crate) fn holds(id: FileId) -> bool {
    let me = identity(sys::pid());
    TABLE.iter().any(|slot| {
        matches!(
            slot.word().phase(),
            Phase::Publishing | Phase::Armed | Phase::Claimed
        ) && slot.owner() == me
            && slot.held().id == id
    })
}

/// An entry whose name may appear at any instant. All signals are blocked on this thread as long
/// as it lives; dropped, the entry is taken back.
#[derive(Debug)]
pub(crate) struct Publishing {
    slot: &'static Slot,
    ways: Ways,
    /// Unblocks on drop, after the slot has its new state.
    _blocked: Blocked,
}

/// An entry for a file that exists under its name. It has no `Drop`: a guard that is forgotten
/// must stay armed.
#[derive(Debug)]
#[must_use = "the file stays until the process ends"]
pub(crate) struct Armed {
    slot: &'static Slot,
}

/// Enters a file, before its name exists.
///
/// # Errors
///
/// ECANCELED: the process has begun to end.
pub(crate) fn arm(pid: u32, held: Held, name: &CStr, ways: Ways) -> Result<Publishing, Errno> {
    prepare(ways);
    loop {
        let blocked = Blocked::new();
        let slot = Slot::occupy();
        slot.set_owner(identity(pid));
        slot.set_held(held);
        slot.set_name(name);
        slot.set_word(Word::new(Phase::Publishing, ways));
        let publishing = Publishing {
            slot,
            ways,
            _blocked: blocked,
        };
        if !ending::has_begun(pid) {
            return Ok(publishing);
        }
        drop(publishing); // Vacates the slot and unblocks: the signal may be for this thread.
        ending::wait(pid)?;
    }
}

/// Makes sure that the end it wants is noticed.
fn prepare(ways: Ways) {
    if ways.signals && !ways.reserved {
        signal::install();
    }
}

impl Publishing {
    /// The file was created only now: from here on it is known by its descriptor and inode.
    pub(crate) fn identify(&self, held: Held) {
        self.slot.set_held(held);
    }

    /// The file has another name now, and wants to be cleaned up in other ways.
    pub(crate) fn rename(&mut self, name: &CStr, ways: Ways) {
        self.slot.set_name(name);
        self.ways = ways;
        self.slot.set_word(Word::new(Phase::Publishing, ways));
    }

    /// The name exists and is ours.
    pub(crate) fn armed(self) -> Armed {
        let slot = self.slot;
        slot.set_word(Word::new(Phase::Armed, self.ways));
        Armed { slot }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        // Fails, as it should, where `armed` has moved the entry on.
        self.slot
            .change(Word::new(Phase::Publishing, self.ways), Word::VACANT);
    }
}

impl Armed {
    /// Whether this process has entered it.
    pub(crate) fn is_owned(&self) -> bool {
        self.slot.owner() == identity(sys::pid())
    }

    /// From here on only the guard cleans up.
    pub(crate) fn reserve(&self) {
        self.set_reserved(true);
    }

    /// From here on every end cleans up that wants to.
    pub(crate) fn adopt(&self, ways: Ways) {
        prepare(ways);
        self.set_reserved(false);
    }

    fn set_reserved(&self, reserved: bool) {
        loop {
            let word = self.slot.word();
            let changed = Word::new(
                Phase::Armed,
                Ways {
                    reserved,
                    ..word.ways()
                },
            );
            // An entry that is not armed any more is being cleaned up, and nothing is left to say.
            if word.phase() != Phase::Armed || self.slot.change(word, changed) {
                return;
            }
        }
    }

    /// Goes back to PUBLISHING, to give the file another name.
    ///
    /// # Errors
    ///
    /// ECANCELED: the process has begun to end, and the file is being cleaned up.
    pub(crate) fn publishing(self) -> Result<Publishing, Errno> {
        let pid = sys::pid();
        loop {
            let blocked = Blocked::new();
            let word = self.slot.word();
            if word.phase() != Phase::Armed || !self.slot.change(word, word.with(Phase::Publishing))
            {
                break; // An ender has claimed it.
            }
            let publishing = Publishing {
                slot: self.slot,
                ways: word.ways(),
                _blocked: blocked,
            };
            if !ending::has_begun(pid) {
                return Ok(publishing);
            }
            // The ender may be waiting for this very entry: back to where it can claim it.
            let _armed_again = publishing.armed();
            ending::wait(pid)?;
        }
        ending::wait(pid)?;
        Err(Errno::ECANCELED)
    }
}

/// Blocks signals on this thread as long as it lives. All, and not only ours, because a handler of
/// the program for another signal may end it from here.
struct Blocked {
    before: Option<sys::Mask>,
}

impl Blocked {
    fn new() -> Blocked {
        // Where it cannot be done there is nothing to restore.
        Blocked {
            before: sys::block_signals(),
        }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            sys::restore_signals(before);
        }
    }
}

impl fmt::Debug for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blocked").finish_non_exhaustive()
    }
}
