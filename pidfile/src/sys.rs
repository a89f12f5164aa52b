//! The one room for unsafe code: raw calls behind safe names.
//!
//! Everything that may use an owned descriptor goes through `nix` and is not
//! here. What is here works on *numbers*, because it runs where a descriptor's
//! owner cannot be asked: in a signal handler, in an exit handler, or after the
//! application closed a descriptor that was ours. A number that means nothing
//! any more is answered by the kernel with EBADF; a number that means another
//! file is caught by comparing [`FileId`]s before anything is done to it.
//!
//! All functions but [`at_exit`], [`after_fork_in_child`] and [`LeakedList::push`] are
//! async-signal-safe: system calls and atomics, no allocation, no lock, no panic.

#![allow(
    unsafe_code,
    reason = "the room that STYLE keeps for it; every block has its reason"
)]

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use nix::errno::Errno;
use nix::libc;
use nix::sys::stat::FileStat;

use crate::descriptor::Kept;

/// Which file a name or a descriptor means: two of them are the same file
/// exactly if these are equal while both exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

impl From<&FileStat> for FileId {
    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_lossless,
        clippy::unnecessary_cast,
        trivial_numeric_casts,
        reason = "dev_t and ino_t have other widths and signs on other systems; only equality counts"
    )]
    fn from(stat: &FileStat) -> FileId {
        FileId {
            dev: stat.st_dev as u64,
            ino: stat.st_ino as u64,
        }
    }
}

/// Which file an open descriptor means.
pub(crate) fn id_of_descriptor(fd: RawFd) -> Result<FileId, Errno> {
    let mut stat = MaybeUninit::<FileStat>::uninit();
    // SAFETY: `stat` is writable memory of the size that fstat fills.
    Errno::result(unsafe { libc::fstat(fd, stat.as_mut_ptr()) })?;
    // SAFETY: fstat succeeded, so it has filled all of `stat`.
    Ok(FileId::from(&unsafe { stat.assume_init() }))
}

/// Which file a name in a directory means; a symbolic link means itself.
pub(crate) fn id_of_name(dir: RawFd, name: &CStr) -> Result<FileId, Errno> {
    let mut stat = MaybeUninit::<FileStat>::uninit();
    // SAFETY: `name` ends in NUL, and `stat` is writable memory of the size that fstatat fills.
    let result = unsafe {
        libc::fstatat(
            dir,
            name.as_ptr(),
            stat.as_mut_ptr(),
            libc::AT_SYMLINK_NOFOLLOW,
        )
    };
    Errno::result(result)?;
    // SAFETY: fstatat succeeded, so it has filled all of `stat`.
    Ok(FileId::from(&unsafe { stat.assume_init() }))
}

/// Removes a name from a directory.
pub(crate) fn unlink(dir: RawFd, name: &CStr) -> Result<(), Errno> {
    // SAFETY: `name` ends in NUL.
    Errno::result(unsafe { libc::unlinkat(dir, name.as_ptr(), 0) }).map(drop)
}

/// Empties a file.
pub(crate) fn truncate(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: no memory is passed; a stale number is EBADF or, before this, another `FileId`.
    Errno::result(unsafe { libc::ftruncate(fd, 0) }).map(drop)
}

/// Closes a descriptor that nobody owns but the caller, who has just compared its [`FileId`].
pub(crate) fn close(fd: RawFd) {
    // SAFETY: no memory is passed. That the number is still the caller's file, and so not
    // somebody's `OwnedFd`, was asked one call ago.
    // Ignored: the descriptor is gone whatever close says, and nothing was written through it late.
    let _ = unsafe { libc::close(fd) };
}

/// A copy of a descriptor, above the three standard ones and closed on exec.
pub(crate) fn duplicate(fd: RawFd) -> Result<OwnedFd, Errno> {
    let lowest = libc::STDERR_FILENO + 1;
    // SAFETY: no memory is passed; a stale number is EBADF.
    let copy = Errno::result(unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, lowest) })?;
    // SAFETY: the kernel has just made it, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

/// A descriptor that stays open as long as its keeper lives.
pub(crate) fn borrow(fd: RawFd, _keeper: &Kept) -> BorrowedFd<'_> {
    // SAFETY: the keeper closes it when it is dropped and not before. A program that closes
    // descriptors which it does not own breaks this rule for all of them, std's included.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// What to do with a file's lock; never waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
    Exclusive,
    Shared,
    None,
}

/// `flock`: nix offers it as a type that unlocks on drop and panics when that fails, or as a
/// deprecated function; neither will do.
pub(crate) fn flock(fd: RawFd, kind: LockKind) -> Result<(), Errno> {
    let operation = match kind {
        LockKind::Exclusive => libc::LOCK_EX | libc::LOCK_NB,
        LockKind::Shared => libc::LOCK_SH | libc::LOCK_NB,
        LockKind::None => libc::LOCK_UN,
    };
    loop {
        // SAFETY: no memory is passed.
        match Errno::result(unsafe { libc::flock(fd, operation) }) {
            Err(Errno::EINTR) => {} // Only a network file system may be interrupted here.
            locked => return locked.map(drop),
        }
    }
}

/// This process, asked anew each time: a fork may have happened. std calls getpid, nothing else.
pub(crate) fn pid() -> u32 {
    std::process::id()
}

/// This thread, as a number that no other living thread of the process has.
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

/// Sleeps for some milliseconds, or until a signal. `poll` and not `nanosleep`, because only the
/// former is on POSIX's list of async-signal-safe functions.
pub(crate) fn nap(milliseconds: libc::c_int) {
    // SAFETY: with a count of zero poll reads no array. Ignored: an early end is no harm.
    let _ = unsafe { libc::poll(ptr::null_mut(), 0, milliseconds) };
}

/// The signals that a thread blocks.
#[derive(Clone, Copy)]
pub(crate) struct Mask(libc::sigset_t);

/// Blocks all signals on this thread, but those that a fault of the thread itself sends, which would
/// end the process without a word if they were blocked. `None` where that cannot be done.
pub(crate) fn block_signals() -> Option<Mask> {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is writable memory of the right size, which sigfillset fills.
    let _ = unsafe { libc::sigfillset(set.as_mut_ptr()) };
    for fault in [
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGFPE,
        libc::SIGILL,
        libc::SIGTRAP,
        libc::SIGSYS,
    ] {
        // SAFETY: `set` was initialised by sigfillset.
        let _ = unsafe { libc::sigdelset(set.as_mut_ptr(), fault) };
    }
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` was initialised, and `before` is writable memory of the right size.
    let result =
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr()) };
    // SAFETY: only read if pthread_sigmask succeeded, and then it has filled `before`.
    (result == 0).then(|| Mask(unsafe { before.assume_init() }))
}

/// Puts a mask back.
pub(crate) fn restore_signals(mask: &Mask) {
    // SAFETY: the mask is one that pthread_sigmask gave us. Ignored: so it is a valid one.
    let _ = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask.0, ptr::null_mut()) };
}

/// Ends the process at once, without exit handlers.
pub(crate) fn exit_now(status: libc::c_int) -> ! {
    // SAFETY: _exit has no preconditions.
    unsafe { libc::_exit(status) }
}

/// Runs `hook` when the process exits, after everything that is registered later.
pub(crate) fn at_exit(hook: extern "C" fn()) {
    // SAFETY: `hook` is a function of this program and stays for its life.
    // Ignored: it fails only without memory, and then the file is merely left behind as stale.
    let _ = unsafe { libc::atexit(hook) };
}

/// Runs `hook` in the child of every fork. Not in that of a vfork, which shares our memory.
pub(crate) fn after_fork_in_child(hook: unsafe extern "C" fn()) {
    // SAFETY: `hook` is a function of this program and stays for its life; it only counts.
    // Ignored: it fails only without memory, and then the process id alone tells child from parent.
    let _ = unsafe { libc::pthread_atfork(None, None, Some(hook)) };
}

/// What a signal does at present: the address of a handler, `SIG_DFL` or `SIG_IGN`.
pub(crate) fn disposition(signal: libc::c_int) -> Option<libc::sighandler_t> {
    let mut current = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: no new action is given, and `current` is writable memory of the right size.
    let result = unsafe { libc::sigaction(signal, ptr::null(), current.as_mut_ptr()) };
    // SAFETY: only read if sigaction succeeded, and then it has filled all of `current`.
    (result == 0).then(|| unsafe { current.assume_init() }.sa_sigaction)
}

/// Sets a signal's handler, with every other signal masked while it runs, and puts back at once
/// what was there unless that was the default: a handler that came in between stays.
pub(crate) fn install(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) {
    let mut previous = MaybeUninit::<libc::sigaction>::uninit();
    let action = action(handler as libc::sighandler_t);
    // SAFETY: `action` is complete, its handler is a function of this program that takes a signal
    // number, and `previous` is writable memory of the right size.
    let result = unsafe { libc::sigaction(signal, &raw const action, previous.as_mut_ptr()) };
    if result != 0 {
        return; // The signal is not ours to handle; it does what it did.
    }
    // SAFETY: sigaction succeeded, so it has filled all of `previous`.
    let previous = unsafe { previous.assume_init() };
    if previous.sa_sigaction != libc::SIG_DFL && previous.sa_sigaction != action.sa_sigaction {
        // SAFETY: `previous` is what the kernel gave us a moment ago.
        // Ignored: it was accepted for this signal before.
        let _ = unsafe { libc::sigaction(signal, &raw const previous, ptr::null_mut()) };
    }
}

/// Ends this thread's part in a handler as the signal itself would: default disposition, raised
/// again, unblocked. Returns only where that does not end the process.
pub(crate) fn die_by(signal: libc::c_int) {
    let action = action(libc::SIG_DFL);
    // SAFETY: `action` is complete. Ignored: the call worked when the handler was installed.
    let _ = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    // SAFETY: raise has no preconditions. Ignored: the signal number is valid.
    let _ = unsafe { libc::raise(signal) };
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is writable memory of the right size, which sigemptyset fills.
    let _ = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: `set` was initialised by sigemptyset.
    let _ = unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    // SAFETY: `set` was initialised by sigemptyset, and no old mask is asked for.
    let _ = unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut()) };
}

/// Not `SA_ONSTACK`: std frees the main thread's alternate stack inside `exit()`, while a handler
/// may run on it.
fn action(handler: libc::sighandler_t) -> libc::sigaction {
    // SAFETY: sigaction is a plain C struct, for which zeroes are a valid value.
    let mut action = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `sa_mask` is writable memory of the right size. Ignored: sigfillset cannot fail.
    let _ = unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    action
}

/// A list that only grows. Atomics only, no lock: it may be read in a signal handler, and a fork
/// may happen at any instant of another thread's push.
#[derive(Debug)]
pub(crate) struct LeakedList<T: 'static> {
    head: AtomicPtr<Node<T>>,
}

#[derive(Debug)]
struct Node<T: 'static> {
    value: T,
    next: *const Node<T>,
}

impl<T: Sync> LeakedList<T> {
    pub(crate) const fn new() -> LeakedList<T> {
        LeakedList {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Adds a value, for ever.
    pub(crate) fn push(&self, value: T) -> &'static T {
        let node: &'static mut Node<T> = Box::leak(Box::new(Node {
            value,
            next: ptr::null(),
        }));
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            node.next = head;
            // SeqCst, as in `iter`: who sees the node sees its contents, and a publisher that pushes
            // a slot and then sees no ending is seen by the ender, who says so and then looks here.
            match self
                .head
                .compare_exchange_weak(head, node, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        &node.value
    }

    /// All values, the newest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T> {
        let mut next: *const Node<T> = self.head.load(Ordering::SeqCst);
        std::iter::from_fn(move || {
            // SAFETY: every pointer in the list comes from `Box::leak` in `push`, is published
            // with SeqCst after it was filled, and is neither changed nor freed afterwards.
            let node: &'static Node<T> = unsafe { next.as_ref() }?;
            next = node.next;
            Some(&node.value)
        })
    }
}
