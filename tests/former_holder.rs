//! A process that held the file once gets no signal any more, and neither does one that has its number.
//! In every test a stranger runs that must be alive at the end.

use std::fs;

use nix::fcntl::FlockArg;
use pidfile::{Error, Signal};

use crate::support::{
    IN_VAIN, PATIENCE, Sandbox, Stranger, UNSHARE, can_unshare, found, holder, lock,
};

#[test]
fn a_process_that_has_released_its_file_gets_no_signal() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = holder(sandbox.pidfile())
        .steps("acquire wait release wait say=alive wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    let former = found(&sandbox);
    program.tell();
    program.expect("released");
    former.stop(PATIENCE).unwrap();
    former.kill(PATIENCE).unwrap();
    assert!(former.signal(Signal::TERM).is_err());
    program.tell();
    program.expect("alive");

    // Nor for its successor's sake.
    let mut successor = sandbox.hold();
    former.stop(PATIENCE).unwrap();
    former.kill(PATIENCE).unwrap();
    assert!(former.signal(Signal::TERM).is_err());
    assert!(program.is_running() && successor.is_running());
    assert_eq!(found(&sandbox).pid(), successor.pid());
}

#[test]
fn a_process_that_has_got_the_number_of_a_former_holder_gets_no_signal() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    if !can_unshare(&UNSHARE[1..]) {
        return;
    }
    // In a pid namespace of its own, the next number can be chosen.
    let steps = "fork=acquire,park wait holder kill=30000 reap reuse-number \
        fork=say:another,park wait signal=TERM stop=30000 kill=30000 holder has-number";
    let mut program = holder(sandbox.pidfile())
        .steps(steps)
        .under(&UNSHARE)
        .start();
    let held = program.expect("held ");
    let number = held.split(' ').next().unwrap().to_owned();
    program.tell();
    program.expect(&format!("holder {number} holder "));
    program.expect("killed");
    program.expect("child killed by SIGKILL");
    program.expect("another");
    program.tell();
    program
        .refusal()
        .expect("Io", 71)
        .expect_message(format!("process {number} no longer holds it"));
    program.expect("stopped");
    program.expect("killed");
    program.expect("nobody");
    program.expect("its number is taken");
}

#[test]
fn a_process_that_has_lost_the_lock_to_another_one_gets_no_signal() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let steps = "hold-by-fcntl wait let-go-by-fcntl wait";
    let mut peer = holder(sandbox.pidfile()).steps(steps).start();
    peer.expect("locked");
    let former = found(&sandbox);
    peer.tell();
    peer.expect("unlocked");
    // The file still names it, and is locked.
    let held = lock(&sandbox.pidfile(), FlockArg::LockExclusive);
    let us = std::process::id();
    for refused in [former.stop(IN_VAIN), former.kill(IN_VAIN)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::UnknownHolder { .. }), "{error:?}");
        assert_eq!(error.pid(), Some(us));
    }
    assert!(former.signal(Signal::TERM).is_err());
    drop(held);
    former.stop(PATIENCE).unwrap();
    assert!(peer.is_running());
}

#[test]
fn a_process_whose_file_was_removed_holds_it_no_more() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = sandbox.hold();
    let former = found(&sandbox);
    fs::remove_file(sandbox.pidfile()).unwrap();
    former.stop(PATIENCE).unwrap();
    assert!(former.signal(Signal::TERM).is_err());
    assert!(program.is_running());
}
