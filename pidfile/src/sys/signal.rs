//! Signals: which ones are blocked on this thread, and what each one does.

use std::fmt;
use std::mem::MaybeUninit;
use std::ptr;

use nix::libc::{self, c_int};

/// Blocks all signals on this thread as long as this value lives.
///
/// All of them, and not only the four that this crate handles, because a handler of the program for
/// another signal may end the process too. The signals that report a fault of the thread itself are
/// not blocked, because a blocked one would end the process without running any handler.
pub(crate) struct BlockedSignals {
    /// The mask to restore; `None` if nothing was changed.
    before: Option<libc::sigset_t>,
}

impl BlockedSignals {
    pub(crate) fn new() -> BlockedSignals {
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
        BlockedSignals {
            // SAFETY: only read if pthread_sigmask succeeded, and then it has filled `before`.
            before: (result == 0).then(|| unsafe { before.assume_init() }),
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: the mask is one that pthread_sigmask returned.
            // Ignored: a mask that was valid before is valid now.
            let _ = unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, ptr::null_mut()) };
        }
    }
}

impl fmt::Debug for BlockedSignals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockedSignals").finish_non_exhaustive()
    }
}

/// A handler of ours.
type Handler = extern "C" fn(c_int);

/// What a signal does at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    Default,
    /// Runs the handler that was asked about.
    Ours,
    /// Runs the handler of another copy of this crate in the same process.
    Sibling,
    /// Is ignored, or runs a handler of the program.
    Foreign,
}

/// The signals that our handler leaves unblocked while it runs. By default none of them ends a
/// process. No program blocks all signals but these, so the mask is how one copy of this crate
/// recognises the handler of another.
///
/// Two versions of a crate share no symbol by which they could find each other, and a plugin is not
/// even linked together with its host. The kernel's table of handlers is the one thing that all
/// code of a process has in common.
const MARK: [c_int; 3] = [libc::SIGWINCH, libc::SIGURG, libc::SIGCONT];

/// The action that another copy of this crate had installed.
#[derive(Clone, Copy)]
pub(crate) struct Chained(libc::sigaction);

impl fmt::Debug for Chained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chained").finish_non_exhaustive()
    }
}

/// Returns what a signal does; `None` if the system does not report it.
pub(crate) fn disposition(signal: c_int, ours: Handler) -> Option<Disposition> {
    let current = current(signal)?;
    Some(classify(&current, ours))
}

fn current(signal: c_int) -> Option<libc::sigaction> {
    let mut current = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: no new action is given, and `current` is writable memory of the right size.
    let result = unsafe { libc::sigaction(signal, ptr::null(), current.as_mut_ptr()) };
    // SAFETY: only read if sigaction succeeded, and then it has filled all of `current`.
    (result == 0).then(|| unsafe { current.assume_init() })
}

fn classify(action: &libc::sigaction, ours: Handler) -> Disposition {
    if action.sa_sigaction == libc::SIG_DFL {
        Disposition::Default
    } else if action.sa_sigaction == ours as libc::sighandler_t {
        Disposition::Ours
    } else if action.sa_sigaction != libc::SIG_IGN && is_marked(&action.sa_mask) {
        Disposition::Sibling
    } else {
        Disposition::Foreign
    }
}

/// Whether exactly the signals of [`MARK`] are missing from the mask.
fn is_marked(mask: &libc::sigset_t) -> bool {
    let mut full = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `full` is writable memory of the right size, which sigfillset fills.
    let _ = unsafe { libc::sigfillset(full.as_mut_ptr()) };
    // SAFETY: sigfillset has initialised it.
    let full = unsafe { full.assume_init() };
    (1..=31).all(|signal| {
        // The kernel drops these two from every mask.
        if signal == libc::SIGKILL || signal == libc::SIGSTOP {
            return true;
        }
        // SAFETY: both masks are initialised; a number without a signal is an error in both.
        let is_in = |set: &libc::sigset_t| unsafe { libc::sigismember(set, signal) == 1 };
        is_in(mask) == (is_in(&full) && !MARK.contains(&signal))
    })
}

/// Installs a handler for a signal that has its default disposition or a sibling's handler. If the
/// program has installed a handler in between, that one is restored at once.
///
/// Returns the sibling's action, to which the signal has to be passed on.
pub(crate) fn install(signal: c_int, handler: Handler) -> Option<Chained> {
    // `None`: the signal cannot be handled, and does what it did before.
    let previous = exchange(signal, &action(handler as libc::sighandler_t))?;
    match classify(&previous, handler) {
        Disposition::Default | Disposition::Ours => None,
        Disposition::Sibling => Some(Chained(previous)),
        Disposition::Foreign => {
            restore(signal, &previous);
            None
        }
    }
}

/// Restores what a signal did before our handler, if it runs that now: a sibling's action, or the
/// default disposition. If the program has installed a handler in between, that one is restored at
/// once.
pub(crate) fn reset(signal: c_int, ours: Handler, before: Option<&Chained>) {
    if disposition(signal, ours) != Some(Disposition::Ours) {
        return;
    }
    let before = before.map_or_else(|| action(libc::SIG_DFL), |before| before.0);
    if let Some(previous) = exchange(signal, &before) {
        if classify(&previous, ours) != Disposition::Ours {
            restore(signal, &previous);
        }
    }
}

/// Sets what a signal does, and returns what it did before; `None` if the system refuses.
fn exchange(signal: c_int, action: &libc::sigaction) -> Option<libc::sigaction> {
    let mut previous = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the action is complete, its handler is one of this program that takes what its flags
    // say, and `previous` is writable memory of the right size.
    let result = unsafe { libc::sigaction(signal, action, previous.as_mut_ptr()) };
    // SAFETY: only read if sigaction succeeded, and then it has filled all of `previous`.
    (result == 0).then(|| unsafe { previous.assume_init() })
}

fn restore(signal: c_int, action: &libc::sigaction) {
    // SAFETY: the action is complete, because the kernel returned it or `action` created it.
    // Ignored: an action for this signal was accepted before.
    let _ = unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
}

/// Ends the process as the signal itself would: restores the default disposition and raises the
/// signal again, unblocked. Returns only if that does not end the process.
pub(crate) fn die_by(signal: c_int) {
    restore(signal, &action(libc::SIG_DFL));
    raise(signal);
}

/// Passes the signal to the handler that was there before ours. Returns if that handler returns.
pub(crate) fn pass_on(signal: c_int, to: &Chained) {
    restore(signal, &to.0);
    raise(signal);
}

/// Whether the kernel has called the handler that asks, and not another handler: this thread has the
/// mask of our actions. A program that blocks a signal of [`MARK`] hides that.
pub(crate) fn is_called_by_kernel() -> bool {
    let mut mask = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: no new mask is given, and `mask` is writable memory of the right size.
    let result = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
    // SAFETY: only read if pthread_sigmask succeeded, and then it has filled `mask`.
    result == 0 && is_marked(&unsafe { mask.assume_init() })
}

/// Sends a signal to this thread, and unblocks it.
pub(crate) fn raise(signal: c_int) {
    send_to_this_thread(signal);
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` is writable memory of the right size, which sigemptyset fills.
    let _ = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: `set` was initialised by sigemptyset.
    let _ = unsafe { libc::sigaddset(set.as_mut_ptr(), signal) };
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `set` was initialised, and `before` is writable memory of the right size.
    let result =
        unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), before.as_mut_ptr()) };
    if result == 0 {
        // The signal has been delivered, and the process has survived it.
        // SAFETY: pthread_sigmask succeeded, so it has filled `before`.
        let before = unsafe { before.assume_init() };
        // SAFETY: the mask is one that pthread_sigmask returned.
        let _ =
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut()) };
    }
}

/// Uses the ids from the kernel, because musl's `raise` takes the thread's id from memory, where
/// the child of a vfork finds its parent's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_to_this_thread(signal: c_int) {
    // SAFETY: getpid has no preconditions.
    let process = unsafe { libc::syscall(libc::SYS_getpid) };
    // SAFETY: gettid has no preconditions.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) };
    // SAFETY: no memory is passed. Ignored: the numbers are this thread's own.
    let _ = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn send_to_this_thread(signal: c_int) {
    // SAFETY: raise has no preconditions. Ignored: the signal number is valid.
    let _ = unsafe { libc::raise(signal) };
}

/// The action that runs a handler. It does not set `SA_ONSTACK`, because std frees the main
/// thread's alternate stack inside `exit()`, while a handler may run on it.
fn action(handler: libc::sighandler_t) -> libc::sigaction {
    // SAFETY: sigaction is a plain C struct, for which zeroes are a valid value.
    let mut action = unsafe { MaybeUninit::<libc::sigaction>::zeroed().assume_init() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: `sa_mask` is writable memory of the right size. Ignored: sigfillset cannot fail.
    let _ = unsafe { libc::sigfillset(&raw mut action.sa_mask) };
    for signal in MARK {
        // SAFETY: `sa_mask` was initialised by sigfillset.
        let _ = unsafe { libc::sigdelset(&raw mut action.sa_mask, signal) };
    }
    action
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    extern "C" fn ours(_: c_int) {}
    extern "C" fn siblings(_: c_int) {
        DELIVERED.fetch_add(1, SeqCst);
    }

    static DELIVERED: AtomicUsize = AtomicUsize::new(0);

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `sigfillset`")]
    fn a_sibling_is_known_by_its_mask_alone() {
        let mut sibling = action(siblings as *const () as libc::sighandler_t);
        assert_eq!(classify(&sibling, ours), Disposition::Sibling);
        for dropped in [libc::SIGKILL, libc::SIGSTOP] {
            // SAFETY: `sa_mask` was initialised by `action`.
            let _ = unsafe { libc::sigdelset(&raw mut sibling.sa_mask, dropped) };
            assert_eq!(classify(&sibling, ours), Disposition::Sibling);
        }
        for mask in [libc::sigemptyset, libc::sigfillset] {
            let mut foreign = sibling;
            // SAFETY: `sa_mask` is writable memory of the right size.
            let _ = unsafe { mask(&raw mut foreign.sa_mask) };
            assert_eq!(classify(&foreign, ours), Disposition::Foreign);
        }
        for (handler, disposition) in [
            (libc::SIG_DFL, Disposition::Default),
            (libc::SIG_IGN, Disposition::Foreign),
            (ours as *const () as libc::sighandler_t, Disposition::Ours),
        ] {
            assert_eq!(classify(&action(handler), ours), disposition);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `sigaction`")]
    fn a_handler_replaces_no_other_but_a_siblings_and_gives_that_back() {
        let signal = libc::SIGUSR2; // No other test is about it.
        let sibling = action(siblings as *const () as libc::sighandler_t);
        assert!(install(signal, ours).is_none());
        assert_eq!(disposition(signal, ours), Some(Disposition::Ours));
        reset(signal, ours, None);
        assert_eq!(disposition(signal, ours), Some(Disposition::Default));

        restore(signal, &sibling);
        let chained = install(signal, ours);
        assert!(chained.is_some());
        assert_eq!(disposition(signal, ours), Some(Disposition::Ours));
        reset(signal, ours, chained.as_ref());
        assert_eq!(disposition(signal, siblings), Some(Disposition::Ours));

        let mut foreign = sibling;
        // SAFETY: `sa_mask` is writable memory of the right size.
        let _ = unsafe { libc::sigemptyset(&raw mut foreign.sa_mask) };
        restore(signal, &foreign);
        assert!(install(signal, ours).is_none());
        assert_eq!(disposition(signal, ours), Some(Disposition::Foreign));
        reset(signal, ours, None);
        assert_eq!(disposition(signal, ours), Some(Disposition::Foreign));
        restore(signal, &action(libc::SIG_DFL));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `sigaction`")]
    fn a_signal_that_is_passed_on_is_delivered_once_and_then_blocked_as_before() {
        let signal = libc::SIGUSR1; // No other test is about it.
        let blocked = BlockedSignals::new();
        let sibling = action(siblings as *const () as libc::sighandler_t);
        pass_on(signal, &Chained(sibling));
        assert_eq!(DELIVERED.load(SeqCst), 1);
        send_to_this_thread(signal);
        assert_eq!(DELIVERED.load(SeqCst), 1);
        drop(blocked);
        assert_eq!(DELIVERED.load(SeqCst), 2);
        restore(signal, &action(libc::SIG_DFL));
    }
}
