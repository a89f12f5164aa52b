//! A descriptor of a process, on Linux. Unlike the process's number, it never
//! comes to mean another process.
//!
//! nix offers neither of the two calls.

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use nix::errno::Errno;
use nix::libc::{self, c_int};

use super::retry;

/// Opens a process; the descriptor is closed on exec, and becomes readable when the process ends.
///
/// # Errors
///
/// - ESRCH, EINVAL, ENOENT: no process has that number; a thread may have it.
/// - ENOSYS, EPERM: Linux before 5.3, or a filter of system calls.
pub(crate) fn pidfd_open(pid: u32) -> nix::Result<OwnedFd> {
    // SAFETY: no memory is passed.
    let opened = retry(|| Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }))?;
    let number = RawFd::try_from(opened).map_err(|_| Errno::EMFILE)?;
    // SAFETY: the kernel has just created it, and only this function knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Sends a signal to the process that the descriptor was opened for, and to no other.
pub(crate) fn pidfd_send_signal(process: BorrowedFd<'_>, signal: c_int) -> nix::Result<()> {
    let number = process.as_raw_fd();
    let send = || {
        // SAFETY: without a `siginfo_t` the kernel fills one in, as for kill(2).
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                number,
                signal,
                ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        Errno::result(result)
    };
    retry(send).map(drop)
}
