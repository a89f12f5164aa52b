//! Which process this is.
//!
//! The pid is not enough to tell: the first process of a new pid namespace is
//! 1, as its parent may be, and a forked child inherits all memory. So a
//! process that enrols gives itself a *generation*, one more than any of its
//! ancestors had, and keeps it in memory that the kernel zeroes at every fork.
//! Where the kernel cannot do that, a fork hook does, which a bare `clone` does
//! not run.
//!
//! The child of a `vfork` still shares its parent's memory. Its pid, which is
//! stored beside the generation, tells it apart. Only if process 1 of a namespace
//! creates process 1 of another one like that are they the same: until its exec, a
//! signal to the child counts as one to the parent.

use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

use crate::sys::{self, LeakedList};

/// What a forked child must not inherit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process(&'static [AtomicUsize; 5]);

/// The oldest counts. Not a `OnceLock`: the child of a fork in the middle of its initialisation would
/// wait forever.
static WIPED_BY_KERNEL: LeakedList<&'static [AtomicUsize; 5]> = LeakedList::new();
static WIPED_BY_HOOK: [AtomicUsize; 5] = [const { AtomicUsize::new(0) }; 5];

/// The highest generation among this process and its ancestors.
static GENERATIONS: AtomicU32 = AtomicU32::new(0);

/// How many bits a generation has, so that it fits beside a slot's state. Generations repeat after
/// 33 million, but only those of a process and its close relatives have to differ.
pub(super) const OWNER_BITS: u32 = 25;

impl Process {
    pub(super) fn this() -> Process {
        let wiped = WIPED_BY_KERNEL.iter().last();
        Process(wiped.copied().unwrap_or(&WIPED_BY_HOOK))
    }

    /// Its pid.
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

    /// The last thread that began to end it.
    pub(super) fn ender(self) -> &'static AtomicUsize {
        &self.0[3]
    }

    /// How many threads may be removing the signal handlers.
    pub(super) fn leavers(self) -> &'static AtomicUsize {
        &self.0[4]
    }
}

/// Prepares what [`enrol`] needs: before `main` if possible, else before the first acquire. Two threads
/// may be here at once.
pub(super) fn prepare() {
    match sys::wiped_on_fork() {
        Some(page) => {
            WIPED_BY_KERNEL.push(page);
        }
        None => sys::after_fork_in_child(forget),
    }
}

extern "C" fn forget() {
    for field in &WIPED_BY_HOOK {
        field.store(0, SeqCst);
    }
}

/// Enrols this process, and returns its pid and whether it had not enrolled before.
pub(super) fn enrol() -> (u32, bool) {
    let pid = sys::pid();
    let process = Process::this();
    let before = process.generation().load(SeqCst);
    let is_new = before == 0 || process.pid().load(SeqCst) != pid as usize;
    if is_new {
        let generation = loop {
            let next = GENERATIONS.fetch_add(1, SeqCst).wrapping_add(1) & ((1 << OWNER_BITS) - 1);
            if next != 0 {
                break next;
            }
        };
        // If two threads get here at once, the first one decides. A generation counts from the
        // moment it is stored, so everything else comes before it.
        if before != 0
            && process
                .generation()
                .compare_exchange(before, 0, SeqCst, SeqCst)
                .is_ok()
        {
            // The numbers of threads are the parent's, too: the child of a bare `clone`.
            process.enders().store(0, SeqCst);
            process.leavers().store(0, SeqCst);
        }
        process.pid().store(pid as usize, SeqCst);
        let _ = process
            .generation()
            .compare_exchange(0, generation as usize, SeqCst, SeqCst);
    }
    (pid, is_new)
}

/// This process and its generation, if it has enrolled. Otherwise what it finds in the table
/// belongs to its parent.
pub(super) fn member() -> Option<(Process, u32)> {
    let process = Process::this();
    let generation = process.generation().load(SeqCst);
    let is_member = generation != 0 && process.pid().load(SeqCst) == sys::pid() as usize;
    // It was stored from a `u32`.
    is_member.then(|| (process, u32::try_from(generation).unwrap_or(0)))
}

/// The same for a caller that enrolled a moment ago, without a system call.
pub(super) fn enrolled() -> (Process, u32) {
    let process = Process::this();
    let generation = process.generation().load(SeqCst);
    // It was stored from a `u32`.
    (process, u32::try_from(generation).unwrap_or(0))
}

/// The generation of this process, or zero, which owns nothing, if it has not enrolled.
pub(super) fn generation() -> u32 {
    member().map_or(0, |(_, generation)| generation)
}

/// Whether the memory of the registry belongs to another process, whose child by `vfork` this is.
pub(super) fn is_guest() -> bool {
    Process::this().generation().load(SeqCst) != 0 && member().is_none()
}
