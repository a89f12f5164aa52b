//! Which process is this?
//!
//! A number does not tell: the first process of a new pid namespace is 1, as its
//! parent may be, and a fork inherits all memory. So a process that takes part
//! gives itself a *generation*, one more than any of its ancestors had, and
//! keeps it in memory that the kernel zeroes at every fork. Where it cannot, a
//! fork hook zeroes it, which a bare `clone` does not run.
//!
//! The child of a `vfork` still shares its parent's memory. It is told apart by
//! its number, which stands beside the generation.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

use crate::sys;

/// What a forked child must not inherit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(&'static [AtomicUsize; 4]);

static WIPED_BY_KERNEL: OnceLock<Option<&'static [AtomicUsize; 4]>> = OnceLock::new();
static WIPED_BY_HOOK: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

/// The highest generation among this process and its ancestors.
static GENERATIONS: AtomicU32 = AtomicU32::new(0);

/// Which process filled a slot, as far as it fits beside the slot's state. Numbers come round again
/// after 33 million generations, of which only neighbours have to differ.
pub(super) const OWNER_BITS: u32 = 25;

impl Process {
    fn this() -> Process {
        let wiped = WIPED_BY_KERNEL.get().copied().flatten();
        Process(wiped.unwrap_or(&WIPED_BY_HOOK))
    }

    /// Its number.
    pub(super) fn pid(self) -> &'static AtomicUsize {
        &self.0[0]
    }

    fn generation(self) -> &'static AtomicUsize {
        &self.0[1]
    }

    /// How many threads are ending the process.
    pub(super) fn enders(self) -> &'static AtomicUsize {
        &self.0[2]
    }

    /// The last thread that began to.
    pub(super) fn ender(self) -> &'static AtomicUsize {
        &self.0[3]
    }
}

/// Prepares what [`enrol`] needs. Called once, before `main` where that is possible.
pub(super) fn prepare() {
    let _ = WIPED_BY_KERNEL.get_or_init(sys::wiped_on_fork);
    if WIPED_BY_KERNEL.get().is_none_or(Option::is_none) {
        sys::after_fork_in_child(forget);
    }
}

extern "C" fn forget() {
    for field in &WIPED_BY_HOOK {
        field.store(0, SeqCst);
    }
}

/// Makes this process one that takes part, and returns its number.
pub(super) fn enrol() -> u32 {
    let pid = sys::pid();
    let process = Process::this();
    let before = process.generation().load(SeqCst);
    if before == 0 || process.pid().load(SeqCst) != pid as usize {
        let generation = loop {
            let next = GENERATIONS.fetch_add(1, SeqCst).wrapping_add(1) & ((1 << OWNER_BITS) - 1);
            if next != 0 {
                break next;
            }
        };
        process.enders().store(0, SeqCst);
        // Of two threads that come here at once, the first decides.
        let _ = process
            .generation()
            .compare_exchange(before, generation as usize, SeqCst, SeqCst);
        process.pid().store(pid as usize, SeqCst);
    }
    pid
}

/// This process and its generation, if it takes part: what it finds in the table is its parent's
/// otherwise.
pub(super) fn member() -> Option<(Process, u32)> {
    let process = Process::this();
    let generation = process.generation().load(SeqCst);
    let is_member = generation != 0 && process.pid().load(SeqCst) == sys::pid() as usize;
    // It was stored from a `u32`.
    is_member.then(|| (process, u32::try_from(generation).unwrap_or(0)))
}

/// The same for a caller that has enrolled a moment ago, without asking the system again.
pub(super) fn enrolled() -> (Process, u32) {
    let process = Process::this();
    let generation = process.generation().load(SeqCst);
    // It was stored from a `u32`.
    (process, u32::try_from(generation).unwrap_or(0))
}

/// The generation of this process; zero, which owns nothing, if it does not take part.
pub(super) fn generation() -> u32 {
    member().map_or(0, |(_, generation)| generation)
}
