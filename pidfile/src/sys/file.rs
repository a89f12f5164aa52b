//! Files, by descriptor number and by name: their metadata, locks and names.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::errno::Errno;
use nix::libc;

use super::retry;

/// Which file a name or a descriptor means. Equal ids mean the same file as long as both exist: a
/// file system may give the inode number of a removed file to a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

/// The metadata of a file that matters here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub(crate) id: FileId,
    /// Type and permission bits.
    pub(crate) mode: libc::mode_t,
    pub(crate) uid: libc::uid_t,
    pub(crate) gid: libc::gid_t,
    pub(crate) links: u64,
    /// In bytes.
    pub(crate) size: u64,
}

impl Stat {
    /// The permission bits, including set-uid, set-gid and sticky.
    pub(crate) fn permissions(&self) -> libc::mode_t {
        self.mode & 0o7777
    }
}

/// Returns the metadata of an open file.
pub(crate) fn stat(fd: RawFd) -> nix::Result<Stat> {
    retry(|| raw::stat(fd))
}

/// Returns the metadata of a name in a directory. A symbolic link is not followed.
pub(crate) fn stat_at(dir: RawFd, name: &CStr) -> nix::Result<Stat> {
    retry(|| raw::stat_at(dir, name))
}

/// `stat` as libc provides it.
mod raw {
    use super::{CStr, Errno, FileId, MaybeUninit, RawFd, Stat, libc};

    impl From<&libc::stat> for Stat {
        #[allow(
            clippy::cast_sign_loss,
            clippy::cast_lossless,
            clippy::unnecessary_cast,
            clippy::useless_conversion,
            trivial_numeric_casts,
            reason = "the fields have other widths and signs on other systems"
        )]
        fn from(stat: &libc::stat) -> Stat {
            Stat {
                // These two are only ever compared for equality.
                id: FileId {
                    dev: stat.st_dev as u64,
                    ino: stat.st_ino as u64,
                },
                mode: stat.st_mode,
                uid: stat.st_uid,
                gid: stat.st_gid,
                links: stat.st_nlink as u64,
                size: stat.st_size as u64,
            }
        }
    }

    pub(super) fn stat(fd: RawFd) -> nix::Result<Stat> {
        #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "32"))]
        if let Some(result) = wide::statx(fd, c"", libc::AT_EMPTY_PATH) {
            return result;
        }
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `stat` is writable memory of the size that fstat fills.
        Errno::result(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
        // SAFETY: fstat succeeded, so it has filled all of `stat`.
        Ok(Stat::from(&unsafe { stat.assume_init() }))
    }

    pub(super) fn stat_at(dir: RawFd, name: &CStr) -> nix::Result<Stat> {
        let flags = libc::AT_SYMLINK_NOFOLLOW;
        #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "32"))]
        if let Some(result) = wide::statx(dir, name, flags) {
            return result;
        }
        let mut stat = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `name` ends in NUL, and `stat` is writable memory of the size that fstatat fills.
        let result = unsafe { libc::fstatat(dir, name.as_ptr(), stat.as_mut_ptr(), flags) };
        Errno::result(result)?;
        // SAFETY: fstatat succeeded, so it has filled all of `stat`.
        Ok(Stat::from(&unsafe { stat.assume_init() }))
    }

    /// The `stat` of 32-bit glibc fails with EOVERFLOW for an inode above 2^32 and, even in its
    /// 64-bit form, for a time after 2038.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "32"))]
    mod wide {
        use super::{CStr, Errno, FileId, MaybeUninit, RawFd, Stat, libc};

        /// `None` if the kernel does not have this call, which is new in Linux 4.11.
        pub(super) fn statx(
            dir: RawFd,
            name: &CStr,
            flags: libc::c_int,
        ) -> Option<nix::Result<Stat>> {
            let mut stat = MaybeUninit::<libc::statx>::uninit();
            // By number, because glibc has this function only since 2.28.
            // SAFETY: `name` ends in NUL, and `stat` is writable memory of the size that statx
            // fills.
            let result = unsafe {
                libc::syscall(
                    libc::SYS_statx,
                    dir,
                    name.as_ptr(),
                    flags,
                    libc::STATX_BASIC_STATS,
                    stat.as_mut_ptr(),
                )
            };
            match Errno::result(result) {
                Err(Errno::ENOSYS) => return None,
                Err(errno) => return Some(Err(errno)),
                Ok(_) => {}
            }
            // SAFETY: statx succeeded, so it has filled all of `stat`.
            let stat = unsafe { stat.assume_init() };
            Some(Ok(Stat {
                id: FileId {
                    // The number that `stat` has for it in the 64-bit program that this one may
                    // pass its file to.
                    dev: libc::makedev(stat.stx_dev_major, stat.stx_dev_minor),
                    ino: stat.stx_ino,
                },
                mode: libc::mode_t::from(stat.stx_mode),
                uid: stat.stx_uid,
                gid: stat.stx_gid,
                links: u64::from(stat.stx_nlink),
                size: stat.stx_size,
            }))
        }
    }
}

/// Removes a name from a directory.
pub(crate) fn unlink(dir: RawFd, name: &CStr) -> nix::Result<()> {
    // SAFETY: `name` ends in NUL.
    retry(|| Errno::result(unsafe { libc::unlinkat(dir, name.as_ptr(), 0) })).map(drop)
}

/// Renames within a directory, unless the new name exists.
///
/// By number, because not every libc has this function. EOPNOTSUPP on systems without such a call.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn rename_no_replace(dir: RawFd, old: &CStr, new: &CStr) -> nix::Result<()> {
    let rename = || {
        // SAFETY: both names end in NUL.
        let result = unsafe {
            libc::syscall(
                libc::SYS_renameat2,
                dir,
                old.as_ptr(),
                dir,
                new.as_ptr(),
                libc::RENAME_NOREPLACE,
            )
        };
        Errno::result(result)
    };
    retry(rename).map(drop)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn rename_no_replace(_: RawFd, _: &CStr, _: &CStr) -> nix::Result<()> {
    Err(Errno::EOPNOTSUPP)
}

/// Empties a file.
pub(crate) fn truncate(fd: RawFd) -> nix::Result<()> {
    // SAFETY: no memory is passed; a stale number is EBADF or, before this, another `FileId`.
    retry(|| Errno::result(unsafe { libc::ftruncate(fd, 0) })).map(drop)
}

/// Closes a descriptor that only the caller owns and whose [`FileId`] it has just compared.
pub(crate) fn close(fd: RawFd) {
    // SAFETY: no memory is passed. The caller has just checked that the number still means its
    // file, so it is not another owner's `OwnedFd`.
    // Ignored: the descriptor is closed whatever close returns, and every write was checked.
    let _ = unsafe { libc::close(fd) };
}

/// A copy of a descriptor, above the three standard ones and closed on exec.
pub(crate) fn duplicate(fd: RawFd) -> nix::Result<OwnedFd> {
    let lowest = libc::STDERR_FILENO + 1;
    // SAFETY: no memory is passed; a stale number is EBADF.
    let copy = retry(|| Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, lowest) }))?;
    // SAFETY: the kernel has just created it, and only this function knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// A descriptor that stays open as long as its keeper lives.
pub(crate) fn borrow<Keeper>(fd: RawFd, _keeper: &Keeper) -> BorrowedFd<'_> {
    // SAFETY: the keeper closes it when it is dropped and not before. A program that closes
    // descriptors which it does not own breaks this rule for all of them, std's included.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// What to change a file's lock to. This never waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
    Exclusive,
    Shared,
    None,
}

/// `flock`. nix offers a type that unlocks on drop and panics if that fails, and a deprecated
/// function; neither will do.
pub(crate) fn flock(fd: RawFd, kind: LockKind) -> nix::Result<()> {
    let operation = match kind {
        LockKind::Exclusive => libc::LOCK_EX | libc::LOCK_NB,
        LockKind::Shared => libc::LOCK_SH | libc::LOCK_NB,
        LockKind::None => libc::LOCK_UN,
    };
    // SAFETY: no memory is passed.
    retry(|| Errno::result(unsafe { libc::flock(fd, operation) })).map(drop)
}

/// A record lock, set with `fcntl` or `lockf`, that would conflict with an exclusive one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordLock {
    /// The process that set it; `None` if it belongs to an open file description, or if that
    /// process has no id in our pid namespace.
    pub(crate) pid: Option<u32>,
    pub(crate) exclusive: bool,
}

/// Finds a record lock on any part of a file, without setting one.
pub(crate) fn record_lock(fd: RawFd) -> nix::Result<Option<RecordLock>> {
    // Unlike F_GETLK, this command also reports the locks of this process.
    #[cfg(target_os = "linux")]
    match record::of_all(fd) {
        Err(Errno::EINVAL) => {} // Linux before 3.15.
        found => return found,
    }
    record::of_others(fd)
}

mod record {
    use super::{Errno, MaybeUninit, RawFd, RecordLock, libc, retry};

    /// What is asked about: a lock that excludes all others, on the whole file.
    macro_rules! question {
        ($structure:ty) => {{
            // SAFETY: it is a plain C structure, for which zeroes are a valid value.
            let mut lock: $structure = unsafe { MaybeUninit::zeroed().assume_init() };
            lock.l_type = EXCLUSIVE;
            lock.l_whence = SET;
            lock
        }};
    }

    #[allow(clippy::cast_possible_truncation, reason = "the constants are small")]
    const EXCLUSIVE: libc::c_short = libc::F_WRLCK as libc::c_short;
    #[allow(clippy::cast_possible_truncation, reason = "the constants are small")]
    const NONE: libc::c_short = libc::F_UNLCK as libc::c_short;
    #[allow(clippy::cast_possible_truncation, reason = "the constants are small")]
    const SET: libc::c_short = libc::SEEK_SET as libc::c_short;

    fn answer(kind: libc::c_short, pid: libc::pid_t) -> Option<RecordLock> {
        (kind != NONE).then(|| RecordLock {
            pid: u32::try_from(pid).ok().filter(|pid| *pid > 0),
            exclusive: kind == EXCLUSIVE,
        })
    }

    /// A lock of another process.
    pub(super) fn of_others(fd: RawFd) -> nix::Result<Option<RecordLock>> {
        ask(fd, libc::F_GETLK)
    }

    /// A lock of any process, this one included.
    #[cfg(all(
        target_os = "linux",
        not(all(target_env = "gnu", target_pointer_width = "32"))
    ))]
    pub(super) fn of_all(fd: RawFd) -> nix::Result<Option<RecordLock>> {
        ask(fd, libc::F_OFD_GETLK)
    }

    fn ask(fd: RawFd, command: libc::c_int) -> nix::Result<Option<RecordLock>> {
        let mut lock = question!(libc::flock);
        // SAFETY: both commands read and write a structure of this type.
        retry(|| Errno::result(unsafe { libc::fcntl(fd, command, &raw mut lock) }))?;
        Ok(answer(lock.l_type, lock.l_pid))
    }

    /// The same on 32-bit glibc, where `fcntl` takes the wide structure for this command before
    /// glibc 2.28 and the narrow one since. The kernel takes the wide one.
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "32"))]
    pub(super) fn of_all(fd: RawFd) -> nix::Result<Option<RecordLock>> {
        let mut lock = question!(libc::flock64);
        // SAFETY: this command reads and writes a structure of this type.
        let mut call =
            || unsafe { libc::syscall(libc::SYS_fcntl64, fd, libc::F_OFD_GETLK, &raw mut lock) };
        retry(|| Errno::result(call()))?;
        Ok(answer(lock.l_type, lock.l_pid))
    }
}
