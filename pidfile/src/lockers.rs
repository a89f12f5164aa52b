//! Which process has a file locked, as far as the kernel reports it.
//!
//! A record is a label and may name any process: one that died before the file
//! was taken over, or one that was given its id since. A message that asks an
//! operator to stop a process must name one that is known to have the lock.
//! Linux shows this in `/proc/PID/fdinfo`, which only the user of that process
//! may read, and in `/proc/locks`, which lists the process that called `flock`.

use std::io::ErrorKind::{NotFound, PermissionDenied};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;

use crate::sys;

/// The process that has the exclusive lock of a file, if that is certain. `recorded`, the process
/// that the file names, is checked first.
///
/// # Platform-specific behavior
///
/// On Linux without `/proc` this is `None`. On other systems it is the recorded process, if that is
/// alive.
pub(crate) fn holder(file: impl AsFd, recorded: Option<u32>) -> Option<u32> {
    proc::holder(file.as_fd().as_raw_fd(), recorded)
}

/// Whether that process has the exclusive lock of a file, if that is certain. Unlike [`holder`], it
/// looks for no other process.
///
/// # Platform-specific behavior
///
/// The same as for [`holder`].
pub(crate) fn has_lock(file: impl AsFd, pid: u32) -> bool {
    proc::is_holder(file.as_fd().as_raw_fd(), pid)
}

/// Whether a file that we have just been able to lock is locked exclusively through another inode.
///
/// The kernel ties a lock to an inode, and a FUSE file system may give one file a second inode of the
/// same number while a process holds the first one. gocryptfs does so if the kernel forgets a
/// removed file only after its number has been given to the new one. `recorded` returns the process
/// that the file names, which is checked first.
///
/// # Platform-specific behavior
///
/// On systems other than Linux, and on Linux without `/proc`, this is `false`. A `/proc` that shows
/// nothing but processes is enough if the recorded process has the lock and belongs to this user.
/// A process in another pid namespace that is not below ours is not found.
///
/// # Errors
///
/// `/proc` is there and could not be read, for example for want of a descriptor.
pub(crate) fn has_locked_twin(
    file: impl AsFd,
    recorded: impl FnOnce() -> Option<u32>,
) -> nix::Result<bool> {
    let file = file.as_fd().as_raw_fd();
    if !sys::may_be_on_fuse(file) {
        return Ok(false);
    }
    match proc::has_locked_twin(file, recorded()) {
        // It is not shown there.
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => Ok(false),
        found => found.map_err(|error| Errno::try_from(error).unwrap_or(Errno::EIO)),
    }
}

/// A process that shares the exclusive lock of a file because it was forked from the one that set
/// it. This inspects every process, so it is only for an error that has no other process to name.
///
/// # Platform-specific behavior
///
/// On systems other than Linux this is `None`. Processes that we may not inspect are not found.
pub(crate) fn heir(file: impl AsFd) -> Option<u32> {
    proc::heir(file.as_fd().as_raw_fd())
}

#[cfg(target_os = "linux")]
pub(crate) mod proc;
#[cfg(not(target_os = "linux"))]
mod proc {
    use std::io;
    use std::os::fd::RawFd;

    use crate::process;

    pub(super) fn holder(_: RawFd, recorded: Option<u32>) -> Option<u32> {
        recorded.filter(|pid| process::is_alive(*pid))
    }

    pub(super) fn is_holder(_: RawFd, pid: u32) -> bool {
        process::is_alive(pid)
    }

    pub(super) fn has_locked_twin(_: RawFd, _: Option<u32>) -> io::Result<bool> {
        Ok(false)
    }

    pub(super) fn heir(_: RawFd) -> Option<u32> {
        None
    }
}
