//! Two functions in the place of libc's, with which a thread comes between two steps of the library.

use std::cell::RefCell;
use std::ffi::c_int;

use nix::libc;

/// When a visitor is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The library is about to ask what SIGTERM does, or has done so.
    Asks,
    Asked,
    /// It is about to restore the default disposition of SIGTERM, or has done so.
    Restores,
    Restored,
    /// It has set a handler for SIGTERM.
    Handled,
    /// It waits for another thread.
    Naps,
}

type Visitor = Box<dyn FnMut(Moment)>;

thread_local! {
    static VISITOR: RefCell<Option<Visitor>> = const { RefCell::new(None) };
}

/// From now on, this thread calls `visitor` at each of the moments.
pub(crate) fn visit(visitor: impl FnMut(Moment) + 'static) {
    VISITOR.set(Some(Box::new(visitor)));
}

fn come(moment: Moment) {
    // Taken out, because a visitor may come to one of the moments itself.
    if let Some(mut visitor) = VISITOR.take() {
        visitor(moment);
        VISITOR.set(Some(visitor));
    }
}

unsafe extern "C" {
    fn __sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int;
}

/// In the place of libc's.
///
/// # Safety
///
/// As that of libc.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    // SAFETY: the caller passes null or an action.
    let handler = unsafe { new.as_ref() }.map(|action| action.sa_sigaction);
    let is_term = signal == libc::SIGTERM;
    if is_term {
        match handler {
            None => come(Moment::Asks),
            Some(libc::SIG_DFL) => come(Moment::Restores),
            Some(_) => {}
        }
    }
    // SAFETY: the arguments are those that the caller of sigaction passed.
    let result = unsafe { __sigaction(signal, new, old) };
    if is_term {
        come(match handler {
            None => Moment::Asked,
            Some(libc::SIG_DFL) => Moment::Restored,
            Some(_) => Moment::Handled,
        });
    }
    result
}

/// In the place of libc's.
///
/// # Safety
///
/// As that of libc.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(
    files: *mut libc::pollfd,
    count: libc::nfds_t,
    milliseconds: c_int,
) -> c_int {
    if count == 0 {
        come(Moment::Naps);
    }
    let limit = libc::timespec {
        tv_sec: (milliseconds / 1_000).into(),
        tv_nsec: (milliseconds % 1_000 * 1_000_000).into(),
    };
    let limit = if milliseconds < 0 {
        std::ptr::null()
    } else {
        &raw const limit
    };
    // SAFETY: the array is that of the caller of poll.
    unsafe { libc::ppoll(files, count, limit, std::ptr::null()) }
}
