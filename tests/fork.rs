//! A forked child has a copy of everything and owns none of it.

use std::fs;

use nix::sys::signal::Signal;

#[cfg(target_os = "linux")]
use crate::support::can_unshare;
use crate::support::{Sandbox, Snapshot, WITHOUT_WIPING, eventually, holder, is_locked};

/// That a child which takes these steps ends as it should and leaves its parent's file alone, and
/// that the parent then goes on as if nothing had happened.
#[track_caller]
fn assert_child_is_harmless(steps: &str, end: &str) {
    for under in [&["env"], WITHOUT_WIPING] {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let script = holder(&path)
            .steps("acquire")
            .set("fork", steps)
            .steps("reap say=ready wait");
        let mut parent = script.under(under).start();
        parent.expect_held(&path);
        parent.expect(&format!("child {end}"));
        parent.expect("ready");
        assert!(is_locked(&path));
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{}\n", parent.pid())
        );
        let before = Snapshot::of(&path);
        holder(&path)
            .steps("acquire")
            .refusal()
            .expect_pid(parent.pid());
        assert_eq!(Snapshot::of(&path), before);
        parent.signal(Signal::SIGTERM);
        parent.expect_death_by(Signal::SIGTERM);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_forked_child_that_exits_leaves_the_parents_file() {
    assert_child_is_harmless("exit:7", "exited 7");
    assert_child_is_harmless("forget,exit:7", "exited 7");
    assert_child_is_harmless("_exit:7", "exited 7");
}

#[test]
fn a_forked_child_that_drops_leaves_the_parents_file() {
    assert_child_is_harmless("drop,_exit:7", "exited 7");
    assert_child_is_harmless("drop,exit:7", "exited 7");
}

#[test]
fn a_forked_child_that_panics_leaves_the_parents_file() {
    assert_child_is_harmless("panic", "exited 101");
}

#[test]
fn a_forked_child_that_gets_a_signal_leaves_the_parents_file() {
    for signal in ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL"] {
        assert_child_is_harmless(&format!("raise:{signal}"), &format!("killed by {signal}"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_vforked_child_that_gets_a_signal_leaves_the_parents_file_and_memory() {
    for signal in ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let steps = format!("acquire vfork-and-raise={signal} reap say=ready wait");
        let mut parent = holder(&path)
            .steps(&steps)
            .steps("release acquire wait")
            .start();
        parent.expect_held(&path);
        parent.expect(&format!("child killed by {signal}"));
        parent.expect("ready");
        assert!(is_locked(&path));
        // The child shared the parent's memory, and has not recorded its own end there.
        parent.tell();
        parent.expect("released");
        parent.expect_held(&path);
        parent.signal(Signal::SIGTERM);
        parent.expect_death_by(Signal::SIGTERM);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_forked_child_that_executes_a_program_leaves_the_parents_file_and_has_no_copy() {
    let sandbox = Sandbox::new();
    let mut parent = holder(sandbox.pidfile())
        .steps("acquire spawners=2 say=ready wait")
        .start();
    parent.expect_held(&sandbox.pidfile());
    parent.expect("ready");
    assert!(is_locked(&sandbox.pidfile()));
    parent.signal(Signal::SIGKILL);
    parent.expect_death_by(Signal::SIGKILL);
    // Children that were about to become their program have a copy until then.
    eventually("unlocked", || !is_locked(&sandbox.pidfile()));
    sandbox.assert_next_start_works();
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[test]
fn a_child_that_is_forked_in_the_middle_of_the_first_acquire_can_acquire() {
    let sandbox = Sandbox::new();
    let script = crate::support::Script::of(env!("CARGO_BIN_EXE_forked_inside"));
    script.argument(sandbox.pidfile()).start().expect_exit(0);
    sandbox.assert_names([]);
}

#[test]
fn a_forked_child_is_refused_like_any_other_process() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let steps = "acquire fork=status,try,allow_same_process:true,try,_exit:0 reap wait";
    let mut parent = holder(&path).steps(steps).start();
    parent.expect_held(&path);
    assert_eq!(
        parent.expect("status "),
        format!("Held {{ pid: Some({}) }}", parent.pid())
    );
    for _ in 0..2 {
        parent
            .refusal()
            .expect("Locked", 75)
            .expect_pid(parent.pid());
    }
    parent.expect("child exited 0");
    assert!(is_locked(&path));
}

#[test]
fn a_forked_child_may_hold_a_file_of_its_own() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let script = holder(&path)
        .steps("acquire")
        .set("path", sandbox.path("child.pid"));
    let mut parent = script
        .steps("fork=acquire,exit:7 reap say=ready wait")
        .start();
    parent.expect_held(&path);
    parent.expect("held ");
    parent.expect("child exited 7");
    parent.expect("ready");
    sandbox.assert_names(["it.pid"]);
    assert!(is_locked(&path));
}

/// That a child by a bare `clone` in a new pid namespace leaves the parent's file, whatever it does
/// in the end. Its number there is 1.
#[cfg(target_os = "linux")]
#[track_caller]
fn assert_clone_is_harmless(steps: &str, end: &str) {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    let path = sandbox.pidfile();
    // The parent is process 1 too, and an ordinary process.
    for under in [
        &["unshare", "--pid", "--fork", "--mount-proc"][..],
        &["env"],
    ] {
        let script = holder(&path)
            .steps("acquire")
            .set("clone-pid-namespace", steps);
        let script = script.steps("reap verify say=ready wait");
        let mut parent = script.under(under).start();
        let held = parent.expect("held ");
        parent.expect(&format!("child {end}"));
        parent.expect("verify Ok(())");
        parent.expect("ready");
        assert!(is_locked(&path), "{steps}");
        let record = fs::read_to_string(&path).unwrap();
        assert_eq!(Some(record.trim()), held.split(' ').next(), "{steps}");
        holder(&path)
            .steps("acquire")
            .refusal()
            .expect("Locked", 75);
        parent.tell();
        parent.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_of_a_bare_clone_in_a_pid_namespace_leaves_the_parents_file() {
    assert_clone_is_harmless("exit:7", "exited 7");
    assert_clone_is_harmless("drop,exit:7", "exited 7");
    assert_clone_is_harmless("drop,_exit:7", "exited 7");
    assert_clone_is_harmless("cleanup,_exit:7", "exited 7");
    assert_clone_is_harmless("forget,exit:7", "exited 7");
    assert_clone_is_harmless("panic", "exited 101");
    assert_clone_is_harmless("exit-on-a-thread:7", "exited 7");
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_to_a_child_of_a_bare_clone_leaves_the_parents_file() {
    for signal in ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] {
        // It is process 1 there and holds nothing, so the signal has no effect.
        assert_clone_is_harmless(&format!("raise:{signal},_exit:7"), "exited 7");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_of_a_bare_clone_may_hold_a_file_of_its_own() {
    if !can_unshare(&["--pid", "--fork", "--mount-proc"]) {
        return;
    }
    for under in [&["env"], WITHOUT_WIPING] {
        let sandbox = Sandbox::new();
        let script = holder(sandbox.pidfile()).steps("acquire");
        let script = script.set("path", sandbox.path("child.pid"));
        let steps = "clone-pid-namespace=acquire,verify,exit:7 reap wait";
        let mut parent = script.steps(steps).under(under).start();
        parent.expect("held ");
        parent.expect("held 1 ");
        parent.expect("verify Ok(())");
        parent.expect("child exited 7");
        sandbox.assert_names(["it.pid"]);
        assert!(is_locked(&sandbox.pidfile()));
    }
}
