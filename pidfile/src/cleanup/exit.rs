//! The process ends by itself: a return from `main`, `exit` on any thread.
//!
//! Exit handlers run in the reverse order of their registration, so ours is
//! registered before `main`: the pidfile is the last thing to go, after every
//! handler that the program registers. What runs here, before and after
//! `main`, makes raw calls only; std may not be there yet, or any more.

use std::sync::atomic::Ordering::SeqCst;

use super::scrub::{End, end};
use super::{Blocked, FORKS};
use crate::sys;

ctor::declarative::ctor! {
    #[ctor(unsafe)]
    fn register() {
        sys::at_exit(on_exit);
        sys::after_fork_in_child(on_fork);
    }
}

extern "C" fn on_fork() {
    // Wraps after as many generations as there are numbers; only neighbours have to differ.
    FORKS.fetch_add(1, SeqCst);
}

extern "C" fn on_exit() {
    let _blocked = Blocked::new();
    // Whether there was something to scrub makes no difference to an exit.
    let _ = end(End::Exit);
}
