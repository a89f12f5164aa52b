//! Has this process begun to end?
//!
//! An ending thread says so and then reads the slots; a publisher writes its
//! slot and then asks. Both are `SeqCst`, so at least one sees the other.
//!
//! Several threads may be ending the process at once, two signals on two of
//! them, say. As pid 1 one of them may find that nothing was held and go on,
//! while the other is about to exit: it is over only when the last one has
//! given up. So they are counted, together with the id of the process, because
//! a fork inherits both.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

use nix::errno::Errno;

use super::PATIENCE;
use crate::sys;

/// The process in the upper half, and how many of its threads are ending it in the lower.
static ENDING: AtomicU64 = AtomicU64::new(0);

/// The last thread that began to.
static THREAD: AtomicUsize = AtomicUsize::new(0);

const fn state(pid: u32, threads: u32) -> u64 {
    (pid as u64) << 32 | threads as u64
}

const fn pid_of(state: u64) -> u32 {
    (state >> 32) as u32
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the lower half is what is wanted"
)]
const fn threads_of(state: u64) -> u32 {
    state as u32
}

/// This thread is ending the process.
pub(super) fn begin(pid: u32) {
    THREAD.store(sys::thread(), SeqCst);
    change(|now| {
        let others = if pid_of(now) == pid {
            threads_of(now)
        } else {
            0
        };
        state(pid, others.wrapping_add(1))
    });
}

/// The end was none: pid 1 has survived its signal.
pub(super) fn give_up() {
    // Fails, as it should, where another thread has begun since.
    let _ = THREAD.compare_exchange(sys::thread(), 0, SeqCst, SeqCst);
    change(|now| match threads_of(now) {
        0 | 1 => 0,
        threads => state(pid_of(now), threads - 1),
    });
}

fn change(next: impl Fn(u64) -> u64) {
    // Cannot fail, since `next` never refuses.
    let _ = ENDING.fetch_update(SeqCst, SeqCst, |now| Some(next(now)));
}

/// Whether that process, which is the caller's, has begun to end.
pub(super) fn has_begun(pid: u32) -> bool {
    pid_of(ENDING.load(SeqCst)) == pid
}

/// Holds a thread back while the process ends on another one: an error at once would make programs
/// exit with it and hide the signal. Returns if pid 1 survives its signal.
///
/// # Errors
///
/// ECANCELED: this thread ends the process, or the end takes longer than anybody waits.
pub(super) fn wait(pid: u32) -> Result<(), Errno> {
    for _ in 0..PATIENCE {
        if !has_begun(pid) {
            return Ok(());
        }
        if THREAD.load(SeqCst) == sys::thread() {
            break;
        }
        sys::nap(1);
    }
    Err(Errno::ECANCELED)
}
