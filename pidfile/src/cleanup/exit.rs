//! The process ends by itself: a return from `main`, or `exit` on any thread.
//!
//! Exit handlers run in the reverse order of their registration, so ours is
//! registered before `main`: the pidfile is the last thing to go, after every
//! handler that the program registers. What runs here, before and after
//! `main`, makes raw calls only, because std may not be there yet, or any more.

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

/// Makes sure that the exit is noticed. An acquire calls it again: the linker may have left the
/// constructor out of a static library.
pub(super) fn register() {
    if !REGISTERED.swap(true, SeqCst) {
        identity::prepare();
        sys::at_exit(on_exit);
    }
}

extern "C" fn on_exit() {
    let _blocked = BlockedSignals::new();
    // Whether there was something to clean up makes no difference to an exit.
    let _ = end(End::Exit);
}
