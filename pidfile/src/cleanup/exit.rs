//! The process exits: by a return from `main`, or `exit` on any thread.
//!
//! Exit handlers run in the reverse order of their registration. Ours is
//! registered before `main`, so the pidfile is removed last, after every
//! handler that the program registers. The code here runs before and after
//! `main`, where std may not be usable, so it makes raw calls only.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use super::identity;
use super::scrub::{End, end};
use crate::sys::{self, BlockedSignals};

static REGISTERED: AtomicBool = AtomicBool::new(false);

// Miri runs no constructors that make foreign calls.
#[cfg(not(miri))]
ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn before_main() {
        register();
    }
}

/// Registers the exit hook, once. An acquire calls this again, because the linker may have left the
/// constructor out of a static library.
pub(super) fn register() {
    if REGISTERED.load(SeqCst) {
        return;
    }
    // Before any thread sees that it is done: an identity must not change under its owner.
    identity::prepare();
    if !REGISTERED.swap(true, SeqCst) {
        sys::at_exit(on_exit);
    }
}

extern "C" fn on_exit() {
    let _blocked = BlockedSignals::new();
    // Ignored: an exit goes on whether or not there was anything to clean up.
    let _ = end(End::Exit);
}
