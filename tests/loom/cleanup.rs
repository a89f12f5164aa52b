//! The registry: the real modules, and a face that the models use.

#[path = "../../pidfile/src/cleanup/by_file.rs"]
mod by_file;
#[path = "../../pidfile/src/cleanup/ending.rs"]
mod ending;
#[path = "../../pidfile/src/cleanup/entry.rs"]
mod entry;
#[path = "../../pidfile/src/cleanup/exit.rs"]
mod exit;
#[path = "../../pidfile/src/cleanup/identity.rs"]
mod identity;
#[path = "../../pidfile/src/cleanup/scrub.rs"]
mod scrub;
#[path = "../../pidfile/src/cleanup/signal.rs"]
mod signal;
#[path = "../../pidfile/src/cleanup/table.rs"]
mod table;
#[path = "../../pidfile/src/cleanup/vacancy.rs"]
mod vacancy;

pub(crate) use entry::{Armed, arm};
pub(crate) use scrub::Outcome;
pub(crate) use table::Policy;

/// As in the real face.
pub(crate) fn enrol() -> u32 {
    exit::register();
    let (pid, is_new) = identity::enrol();
    if is_new {
        table::reuse_ancestors_slots();
    }
    pid
}

/// What `cleanup()` does.
pub(crate) fn call() {
    let _ = scrub::end(scrub::End::Call);
}

/// What the handler does for a signal that ends the process.
pub(crate) fn signal() {
    let _ = scrub::end(scrub::End::Signal);
}

/// What the exit hook does.
pub(crate) fn exit() {
    let _ = scrub::end(scrub::End::Exit);
}

/// What the handler does in process 1, which survives if it held nothing. Returns whether it does.
pub(crate) fn signal_to_process_1() -> bool {
    let member = identity::member();
    let held = scrub::end(scrub::End::Signal);
    if held == Some(true) {
        return false;
    }
    if let (Some((process, _)), Some(_)) = (member, held) {
        ending::give_up(process);
    }
    true
}
