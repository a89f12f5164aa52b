//! What the registry asks the system for: names, descriptors, and the end of the process. It checks
//! that the registry asks for the right thing.
//!
//! Its state is no part of the memory model, as the kernel's is none. Each call takes a turn on one
//! relaxed atomic, so that loom tries every order of two calls, and learns nothing else from it.

use real_std::cell::RefCell;
use real_std::collections::{HashMap, HashSet};
use real_std::ffi::{CStr, CString};

use loom::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use real_std::rc::Rc;

use crate::sync;

/// A descriptor or an inode.
type Number = i32;

#[derive(Default)]
struct Kernel {
    turn: Option<Rc<AtomicUsize>>,
    /// Which file has a name.
    names: HashMap<CString, Number>,
    /// Which names an end must leave alone.
    reserved: HashSet<CString>,
    /// Which names are being adopted, so that an end may leave them or not.
    adopting: HashSet<CString>,
    closed: HashSet<Number>,
    /// How often the file behind a descriptor was scrubbed.
    scrubs: HashMap<Number, usize>,
    has_ended: bool,
    is_process_1: bool,
    /// Whether a signal runs the handler.
    is_handled: bool,
    at_exit: Vec<extern "C" fn()>,
}

thread_local! {
    static KERNEL: RefCell<Kernel> = RefCell::default();
}

/// Begins a run.
pub(crate) fn boot() {
    let kernel = Kernel {
        turn: Some(Rc::new(AtomicUsize::new(0))),
        ..Kernel::default()
    };
    drop(KERNEL.replace(kernel));
}

fn call<T>(call: impl FnOnce(&mut Kernel) -> T) -> T {
    let turn = KERNEL.with_borrow(|kernel| kernel.turn.clone());
    turn.expect("it is booted").fetch_add(1, Relaxed);
    KERNEL.with_borrow_mut(call)
}

/// Whether the process has ended.
pub(crate) fn has_ended() -> bool {
    KERNEL.with_borrow(|kernel| kernel.has_ended)
}

/// The process is the first one of its pid namespace.
pub(crate) fn become_process_1() {
    KERNEL.with_borrow_mut(|kernel| kernel.is_process_1 = true);
}

pub(crate) fn pid() -> u32 {
    KERNEL.with_borrow(|kernel| if kernel.is_process_1 { 1 } else { 4242 })
}

pub(crate) fn is_handled() -> bool {
    call(|kernel| kernel.is_handled)
}

/// Installs or removes the handler.
pub(crate) fn handle(is_handled: bool) {
    call(|kernel| {
        kernel.is_handled = is_handled;
        kernel.check_handler();
    });
}

impl Kernel {
    /// Whether an end may leave a file with that name.
    fn may_stay(&self, name: &CStr) -> bool {
        self.reserved.contains(name) || self.adopting.contains(name)
    }

    /// In process 1, a signal without a handler has no effect, so none may come while a file is held.
    fn check_handler(&self) {
        let is_held = self.names.keys().any(|name| !self.may_stay(name));
        assert!(
            !self.is_process_1 || self.is_handled || !is_held,
            "a file is held without the handler"
        );
    }
}

/// Gives a file its name.
pub(crate) fn link(name: &CStr, file: Number, reserved: bool) {
    call(|kernel| {
        assert!(
            !kernel.has_ended,
            "{name:?} is published when the end has passed"
        );
        let before = kernel.names.insert(name.to_owned(), file);
        assert_eq!(before, None, "{name:?} is not free");
        if reserved {
            kernel.reserved.insert(name.to_owned());
        }
        kernel.check_handler();
    });
}

/// A file that was reserved is about to be adopted.
pub(crate) fn begin_adoption(name: &CStr) {
    call(|kernel| {
        assert!(kernel.reserved.remove(name), "{name:?} was reserved");
        kernel.adopting.insert(name.to_owned());
    });
}

/// It is adopted.
pub(crate) fn end_adoption(name: &CStr) {
    call(|kernel| {
        kernel.adopting.remove(name);
        kernel.check_handler();
    });
}

/// The process ends: no name may be left that this end concerns.
pub(crate) fn end() {
    call(|kernel| {
        for name in kernel.names.keys() {
            assert!(kernel.may_stay(name), "{name:?} is left");
        }
        for name in &kernel.reserved {
            assert!(kernel.names.contains_key(name), "{name:?} was reserved");
        }
        kernel.has_ended = true;
    });
    sync::wake();
}

pub(crate) fn has_name(name: &CStr) -> bool {
    call(|kernel| kernel.names.contains_key(name))
}

/// The guard closes its descriptors.
pub(crate) fn close(file: Number) {
    call(|kernel| kernel.closed.insert(file));
}

/// The first call of a scrub.
pub(crate) fn begin_scrub(file: Number) {
    call(|kernel| {
        assert!(!kernel.closed.contains(&file), "{file} is closed");
        let count = kernel.scrubs.entry(file).or_default();
        *count += 1;
        assert_eq!(*count, 1, "{file} is scrubbed again");
    });
}

pub(crate) fn inode(name: &CStr) -> Option<Number> {
    call(|kernel| kernel.names.get(name).copied())
}

/// Returns whether there was such a name.
pub(crate) fn unlink(dir: Number, name: &CStr) -> bool {
    call(|kernel| {
        // The models give both descriptors of an entry the same number.
        assert!(!kernel.closed.contains(&dir), "{name:?} is removed late");
        kernel.names.remove(name).is_some()
    })
}

pub(crate) fn at_exit(hook: extern "C" fn()) {
    call(|kernel| kernel.at_exit.push(hook));
}

/// The exit runs its hooks.
pub(crate) fn exit() {
    let hooks = call(|kernel| kernel.at_exit.clone());
    assert_eq!(hooks.len(), 1, "there is one hook");
    for hook in hooks {
        hook();
    }
}
