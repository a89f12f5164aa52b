//! What the tests from outside share: how the holder of a file is found, and how long it is waited
//! for.

use std::time::Duration;

use pidfile::Holder;

use super::Sandbox;

/// Long enough for anything on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// What a test waits for in vain.
pub(crate) const IN_VAIN: Duration = Duration::from_millis(50);

/// The holder of the pidfile.
#[track_caller]
pub(crate) fn found(sandbox: &Sandbox) -> Holder {
    let holder = pidfile::holder(sandbox.pidfile()).expect("it can be asked");
    holder.expect("a process holds it")
}

/// That no process holds the pidfile.
#[track_caller]
pub(crate) fn assert_nobody(sandbox: &Sandbox) {
    match pidfile::holder(sandbox.pidfile()) {
        Ok(None) => {}
        other => panic!("{other:?}"),
    }
}
