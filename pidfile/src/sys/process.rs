//! This process: its id, its threads, how it forks and how it ends.

use std::ptr;
use std::sync::atomic::AtomicUsize;

use nix::errno::Errno;
use nix::libc;

use super::retry;

/// The id of this process, queried each time because a fork may have happened. std only calls
/// getpid, so this is async-signal-safe.
pub(crate) fn pid() -> u32 {
    std::process::id()
}

/// A number for this thread that no other living thread of the process has.
#[allow(
    clippy::unnecessary_cast,
    clippy::cast_possible_truncation,
    trivial_numeric_casts,
    reason = "pthread_t is an integer as wide as a pointer on some systems and a pointer on others"
)]
pub(crate) fn thread() -> usize {
    // SAFETY: pthread_self has no preconditions.
    unsafe { libc::pthread_self() as usize }
}

/// Sleeps for some milliseconds, or until a signal. This uses `poll` instead of `nanosleep`, which
/// is not on POSIX's list of async-signal-safe functions.
pub(crate) fn nap(milliseconds: libc::c_int) {
    // SAFETY: with a count of zero poll reads no array. Ignored: an early end does no harm.
    let _ = unsafe { libc::poll(ptr::null_mut(), 0, milliseconds) };
}

/// Sends a signal by number: nix takes only the signals that it has a name for.
pub(crate) fn kill(pid: libc::pid_t, signal: libc::c_int) -> nix::Result<()> {
    // SAFETY: no memory is passed.
    retry(|| Errno::result(unsafe { libc::kill(pid, signal) })).map(drop)
}

/// Ends the process at once, without exit handlers.
pub(crate) fn exit_now(status: libc::c_int) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(status) }
}

/// Runs `hook` when the process exits, after every hook that is registered later.
pub(crate) fn at_exit(hook: extern "C" fn()) {
    // SAFETY: `hook` is a function of this program and exists as long as it runs.
    // Ignored: it fails only if memory runs out, and then the file is merely left behind as stale.
    let _ = unsafe { libc::atexit(hook) };
}

/// Runs `hook` in the child of every fork, but not in that of a vfork, which shares our memory, or
/// of a bare `clone`.
pub(crate) fn after_fork_in_child(hook: unsafe extern "C" fn()) {
    // SAFETY: `hook` is a function of this program and exists as long as it runs; it only stores to
    // atomics. Ignored: it fails only if memory runs out, and then the pid has to do.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(hook)) };
}

/// Returns five zeroed numbers that the kernel zeroes again in the child of every fork, however the
/// child is created. `None` if the kernel cannot do that: Linux before 4.14, and systems without
/// `minherit`.
///
/// The memory is never freed.
pub(crate) fn wiped_on_fork() -> Option<&'static [AtomicUsize; 5]> {
    const PAGE: usize = 4096; // If the kernel's pages are larger, a whole one is mapped.
    let wish = wipe::WISH?;
    // SAFETY: a new anonymous mapping at an address of the kernel's choice touches no other memory.
    let page = unsafe {
        libc::mmap(
            ptr::null_mut(),
            PAGE,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANON,
            -1,
            0,
        )
    };
    if page == libc::MAP_FAILED {
        return None;
    }
    if !wipe::grant(page, PAGE, wish) {
        // SAFETY: the page was mapped above, and no reference to it exists.
        // Ignored: the worst that can happen is that the page stays mapped.
        let _ = unsafe { libc::munmap(page, PAGE) };
        return None;
    }
    // SAFETY: the page is zeroed, aligned, large enough and never unmapped. It is reached only
    // through this reference to atomics, for which zeroes are a valid value at any time.
    Some(unsafe { &*page.cast::<[AtomicUsize; 5]>() })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod wipe {
    use nix::libc;

    pub(super) const WISH: Option<libc::c_int> = Some(libc::MADV_WIPEONFORK);

    pub(super) fn grant(page: *mut libc::c_void, size: usize, wish: libc::c_int) -> bool {
        // SAFETY: `page` is a private anonymous mapping of that size, and its contents are zero.
        unsafe { libc::madvise(page, size, wish) == 0 }
    }
}

#[cfg(any(target_os = "freebsd", target_os = "netbsd", target_os = "openbsd"))]
mod wipe {
    use nix::libc;

    // From <sys/mman.h>: INHERIT_ZERO on FreeBSD and OpenBSD, MAP_INHERIT_ZERO on NetBSD.
    #[cfg(target_os = "netbsd")]
    pub(super) const WISH: Option<libc::c_int> = Some(4);
    #[cfg(not(target_os = "netbsd"))]
    pub(super) const WISH: Option<libc::c_int> = Some(3);

    unsafe extern "C" {
        fn minherit(
            address: *mut libc::c_void,
            size: libc::size_t,
            inherit: libc::c_int,
        ) -> libc::c_int;
    }

    pub(super) fn grant(page: *mut libc::c_void, size: usize, wish: libc::c_int) -> bool {
        // SAFETY: `page` is a private anonymous mapping of that size, and its contents are zero.
        unsafe { minherit(page, size, wish) == 0 }
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
mod wipe {
    use nix::libc;

    pub(super) const WISH: Option<libc::c_int> = None;

    pub(super) fn grant(_: *mut libc::c_void, _: usize, _: libc::c_int) -> bool {
        false
    }
}

/// Whether this process was started with privileges that its caller does not have: set-uid, set-gid
/// or, on Linux, file capabilities. Then the caller has chosen its environment and `argv[0]`.
pub(crate) fn is_privileged_start() -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // SAFETY: getauxval has no preconditions.
        let secure = unsafe { libc::getauxval(libc::AT_SECURE) };
        secure != 0
    }
    #[cfg(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    ))]
    {
        unsafe extern "C" {
            safe fn issetugid() -> libc::c_int;
        }
        issetugid() != 0
    }
    #[cfg(not(any(
        target_os = "linux",
        target_os = "android",
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd"
    )))]
    {
        use nix::unistd::{getegid, geteuid, getgid, getuid};

        getuid() != geteuid() || getgid() != getegid()
    }
}
