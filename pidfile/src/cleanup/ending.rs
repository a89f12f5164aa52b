//! Whether this process has begun to end.
//!
//! An ending thread announces itself and then reads the slots; a publisher
//! writes its slot and then checks for an ending. Both are `SeqCst`, so at
//! least one sees the other.
//!
//! Several threads may be ending the process at once, for instance because of
//! two signals. In process 1, one of them may find that nothing was held, and
//! go on while another is about to exit. The threads are counted, and the end
//! is called off only when the last one gives up.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use nix::errno::Errno;

use super::identity::Process;
use crate::sys;

/// The longest wait for another thread, in milliseconds.
pub(super) const PATIENCE: u32 = 1000;

/// Announces that this thread is ending the process, which has enrolled.
pub(super) fn begin(process: Process) {
    process.ender().store(sys::thread(), SeqCst);
    process.enders().fetch_add(1, SeqCst);
}

/// Withdraws this thread's announcement, because process 1 survived its signal.
pub(super) fn give_up(process: Process) {
    // Fails, as it should, if another thread has begun since.
    let _ = process
        .ender()
        .compare_exchange(sys::thread(), 0, SeqCst, SeqCst);
    process.enders().fetch_sub(1, SeqCst);
}

/// Whether a process has begun to end.
pub(super) fn has_begun(process: Process) -> bool {
    process.enders().load(SeqCst) > 0
}

/// Suspends a thread while another one ends the process. An error at once would make programs exit
/// because of it and hide the signal. Returns `Ok` if process 1 survives its signal.
///
/// # Errors
///
/// ECANCELED: this thread ends the process, or the end takes longer than a second.
pub(super) fn wait(process: Process) -> nix::Result<()> {
    for _ in 0..PATIENCE {
        if !has_begun(process) {
            return Ok(());
        }
        if process.ender().load(SeqCst) == sys::thread() {
            break;
        }
        sys::nap(1);
    }
    Err(Errno::ECANCELED)
}

/// Waits until no thread is left that is in the middle of something, but not for longer than a second.
pub(super) fn wait_for(threads: &AtomicUsize) {
    for _ in 0..PATIENCE {
        if threads.load(SeqCst) == 0 {
            return;
        }
        sys::nap(1);
    }
}
