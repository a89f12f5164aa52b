//! The registry in every order of its atomic operations: publisher, release, exit and signal.
//!
//! The modules of `pidfile/src/cleanup` and the list in `pidfile/src/sys` are compiled as they are. What
//! they take from `std::sync::atomic` comes from [`sync`] instead, because this crate calls itself
//! `std`, and what they take from `sys` and `descriptor` comes from a small [`kernel`]. So a change
//! of the registry is checked by running this again.
//!
//! # What is checked
//!
//! [loom](https://docs.rs/loom) runs each model below in every order in which at most
//! `LOOM_MAX_PREEMPTIONS` threads are interrupted (3 unless set), and lets each load return every value
//! that the memory model allows. The kernel checks after each call that
//!
//! - an entry is scrubbed once;
//! - no file gets its name after an end has finished, and none that the end concerns keeps it;
//! - process 1 never holds a file without its signal handler;
//! - the descriptors of an entry are not used once its release has returned;
//! - no two publishers share a slot, so that each entry is about its own file.
//!
//! A thread that naps sleeps until another thread changes something. So loom finds a deadlock where the
//! threads wait for each other.
//!
//! # What is not
//!
//! A signal handler runs on a thread of its own: on the publisher's thread the signal would be blocked.
//! The bytes of a name are not modelled; a name is written and read together with the numbers, which
//! are. The segments of an array are not modelled; an array here has a length instead. A thread that
//! wakes knows all that the thread that woke it knew. An operation between two `SeqCst` operations of its
//! thread is as good as `SeqCst` itself, because of the fences in [`sync`]; so a weaker order of the
//! counter in `ending::begin`, or of a word that becomes PUBLISHING, would not be found. Not modelled
//! either are forks, the second copy of the crate, and the limit of one second on every wait.

// The modules below say `std::sync::atomic`, `std::ffi` and so on.
extern crate self as std;
extern crate std as real_std;

pub mod sync;
pub use ::core::{iter, ptr};
pub mod ffi {
    pub use ::core::ffi::CStr;
}
pub mod os {
    pub use ::real_std::os::fd;
}
/// Of `ctor`, which would run before `main`, outside of every model.
extern crate self as ctor;
pub mod declarative {
    pub use crate::no_constructor as ctor;
}
#[macro_export]
macro_rules! no_constructor {
    ($($tokens:tt)*) => {};
}

#[allow(dead_code, reason = "no model needs all of it")]
mod cleanup;
mod descriptor;
mod kernel;
mod sys;

mod models;
