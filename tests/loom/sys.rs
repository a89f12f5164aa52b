//! The part of the real module that the registry uses. The list is the real one.

use core::ffi::c_int;
use real_std::cell::RefCell;
use real_std::collections::HashMap;
use real_std::ffi::CStr;
use real_std::panic::resume_unwind;

use nix::errno::Errno;
use nix::libc::SIGTERM;

use crate::kernel;
use crate::sync::atomic::AtomicUsize;
use crate::sync::{self, changes};

#[path = "array.rs"]
mod array;
#[allow(unsafe_code, reason = "the list dereferences its nodes")]
#[path = "../../pidfile/src/sys/list.rs"]
mod list;

pub(crate) use array::LeakedArray;
pub(crate) use list::LeakedList;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(crate) dev: u64,
    pub(crate) ino: u64,
}

pub(crate) struct Stat {
    pub(crate) id: FileId,
}

pub(crate) enum LockKind {
    None,
}

/// A signal is a thread of its own here, so there is nothing to block.
#[derive(Debug)]
pub(crate) struct BlockedSignals;

impl BlockedSignals {
    pub(crate) fn new() -> BlockedSignals {
        BlockedSignals
    }
}

pub(crate) fn stat_at(_: c_int, name: &CStr) -> nix::Result<Stat> {
    match kernel::inode(name) {
        Some(number) => Ok(Stat {
            id: FileId {
                dev: 0,
                ino: number.unsigned_abs().into(),
            },
        }),
        None => Err(Errno::ENOENT),
    }
}

pub(crate) fn unlink(dir: c_int, name: &CStr) -> nix::Result<()> {
    if kernel::unlink(dir, name) {
        Ok(())
    } else {
        Err(Errno::ENOENT)
    }
}

pub(crate) fn truncate(_: c_int) -> nix::Result<()> {
    panic!("every file can be removed")
}

pub(crate) fn flock(_: c_int, _: LockKind) -> nix::Result<()> {
    panic!("every file can be removed")
}

thread_local! {
    /// What each thread had seen of [`changes`] when it last woke.
    static SEEN: RefCell<HashMap<usize, usize>> = RefCell::default();
}

/// The process has ended, and this thread with it.
pub(crate) struct Gone;

/// Lasts until there is something new to see. So no thread loses its patience, which is for threads that
/// hang in the kernel.
pub(crate) fn nap(_: c_int) {
    let me = thread();
    let seen = SEEN.with_borrow(|all| all.get(&me).copied());
    while seen == Some(changes()) {
        if kernel::has_ended() {
            resume_unwind(Box::new(Gone));
        }
        sync::sleep();
    }
    SEEN.with_borrow_mut(|all| all.insert(me, changes()));
}

/// Begins a run.
pub(crate) fn forget_the_last_run() {
    SEEN.with_borrow_mut(HashMap::clear);
    array::forget_the_last_run();
}

pub(crate) fn pid() -> u32 {
    kernel::pid()
}

/// Which thread this is; never zero.
pub(crate) fn thread() -> usize {
    let name = format!("{:?}", loom::thread::current().id());
    let digits: String = name.chars().filter(char::is_ascii_digit).collect();
    digits.parse::<usize>().expect("a number") + 1
}

pub(crate) fn wiped_on_fork() -> Option<&'static [AtomicUsize; 5]> {
    Some(Box::leak(Box::new([const { AtomicUsize::new(0) }; 5])))
}

pub(crate) fn after_fork_in_child(_: unsafe extern "C" fn()) {}

pub(crate) fn at_exit(hook: extern "C" fn()) {
    kernel::at_exit(hook);
}

pub(crate) fn exit_now(_: c_int) -> ! {
    panic!("only process 1 exits like this")
}

// No model delivers a signal to the handler itself. Only in process 1 does the handler come and go, and
// there one signal stands for all four.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "all that a signal can do")]
pub(crate) enum Disposition {
    Default,
    Ours,
    Sibling,
    Foreign,
}

#[derive(Debug)]
pub(crate) struct Chained;

pub(crate) fn disposition(signal: c_int, _: extern "C" fn(c_int)) -> Option<Disposition> {
    if pid() != 1 {
        Some(Disposition::Ours)
    } else if signal != SIGTERM {
        None
    } else if kernel::is_handled() {
        Some(Disposition::Ours)
    } else {
        Some(Disposition::Default)
    }
}

pub(crate) fn install(_: c_int, _: extern "C" fn(c_int)) -> Option<Chained> {
    kernel::handle(true);
    None
}

pub(crate) fn reset(signal: c_int, _: extern "C" fn(c_int), _: Option<&Chained>) {
    if signal == SIGTERM {
        kernel::handle(false);
    }
}

pub(crate) fn die_by(_: c_int) {}

pub(crate) fn pass_on(_: c_int, _: &Chained) {}

pub(crate) fn is_called_by_kernel() -> bool {
    true
}

pub(crate) fn raise(_: c_int) {}
