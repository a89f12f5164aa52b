//! All unsafe code of the crate: raw calls behind safe functions.
//!
//! What can use an owned descriptor goes through `nix` and is not here. The
//! functions here work on descriptor *numbers*, because they run where
//! ownership cannot be relied on: in a signal handler, in an exit handler, or
//! after the application closed a descriptor of ours. For a number that no
//! longer means anything the kernel returns EBADF. A number that means another
//! file is caught by comparing [`FileId`]s before anything is done to it.
//!
//! Except for those that register a hook or allocate ([`at_exit`],
//! [`after_fork_in_child`], [`wiped_on_fork`], [`LeakedArray::at`],
//! [`LeakedList::push`], [`inherit_by`], [`remove_variable`]), all of these functions are
//! async-signal-safe: they make system calls and use atomics, but do not
//! allocate, lock or panic.

#![allow(
    unsafe_code,
    reason = "the only module that may contain it; every block states why it is sound"
)]

mod array;
mod file;
mod file_system;
mod list;
mod passing;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod pidfd;
mod process;
mod signal;

pub(crate) use array::LeakedArray;
pub(crate) use file::{
    FileId, LockKind, Stat, borrow, close, duplicate, flock, record_lock, rename_no_replace, stat,
    stat_at, truncate, unlink,
};
pub(crate) use file_system::{is_on_cifs, may_be_on_fuse};
pub(crate) use list::LeakedList;
pub(crate) use passing::{inherit_by, is_inherited, keep, own_inherited, remove_variable};
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use pidfd::{pidfd_open, pidfd_send_signal};
pub(crate) use process::{
    after_fork_in_child, at_exit, exit_now, is_privileged_start, kill, nap, pid, thread,
    wiped_on_fork,
};
pub(crate) use signal::{
    BlockedSignals, Chained, Disposition, die_by, disposition, install, is_called_by_kernel,
    pass_on, raise, reset,
};

/// Repeats a system call as long as a signal interrupts it.
pub(crate) fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> nix::Result<T> {
    loop {
        match call() {
            Err(nix::errno::Errno::EINTR) => {}
            result => return result,
        }
    }
}
