//! Descriptors and variables across exec.

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::errno::Errno;
use nix::libc;

use super::file::{FileId, stat};

/// Lets the command inherit a descriptor, provided that it still means that file when the command
/// starts.
pub(crate) fn inherit_by(command: &mut Command, fd: RawFd, id: FileId) {
    let leave_open = move || {
        if stat(fd)?.id != id {
            return Err(Errno::EBADF.into());
        }
        set_flags(fd, 0)?;
        Ok(())
    };
    // SAFETY: the closure makes system calls only: it neither allocates nor locks.
    unsafe { command.pre_exec(leave_open) };
}

/// Makes the descriptor close on exec again, after a command could not be executed.
pub(crate) fn keep(fd: RawFd) {
    // Ignored: a number that is closed is not inherited either.
    let _ = set_flags(fd, libc::FD_CLOEXEC);
}

fn set_flags(fd: RawFd, flags: libc::c_int) -> nix::Result<()> {
    // SAFETY: no memory is passed.
    Errno::result(unsafe { libc::fcntl(fd, libc::F_SETFD, flags) }).map(drop)
}

/// Whether it is open, and was left open by an exec. Descriptors that this image opened itself are
/// closed on exec, as std opens them.
pub(crate) fn is_inherited(fd: RawFd) -> bool {
    // SAFETY: no memory is passed; a number that is not open is an error.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

/// Takes over a descriptor that was passed to this image, and makes it close on exec.
pub(crate) fn own_inherited(fd: RawFd) -> OwnedFd {
    keep(fd);
    // SAFETY: it is open. The process that executed this image passed it on for this caller, which
    // takes it only once, so nothing else in this image owns it.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Removes a variable from the environment if that is sound: another thread might be reading it. A
/// variable that stays does no harm, because the descriptor that it names is closed on exec.
pub(crate) fn remove_variable(name: &str) {
    if is_single_threaded() {
        // SAFETY: there is no other thread.
        unsafe { std::env::remove_var(name) };
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_single_threaded() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn is_single_threaded() -> bool {
    false
}
