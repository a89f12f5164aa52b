//! The process that holds a file is found, signalled and stopped from outside. In every test a
//! stranger runs that must be alive at the end.

use nix::sys::signal::Signal as Sent;
use pidfile::{Error, PidFile, Signal};

use crate::support::{
    IN_VAIN, PATIENCE, Sandbox, Stranger, assert_nobody, eventually, found, holder, is_locked,
};

#[test]
fn an_ordinary_holder_is_found_and_stopped() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = sandbox.hold();
    let holder = found(&sandbox);
    assert_eq!(holder.pid(), program.pid());
    assert_eq!(holder.path(), sandbox.pidfile());
    assert_eq!(holder.program(), Some("holder"));
    assert_eq!(holder.uid(), Some(nix::unistd::geteuid().as_raw()));
    assert!(!holder.is_suspended());
    assert!(!holder.wait(Some(IN_VAIN)).unwrap());
    holder.stop(PATIENCE).unwrap();
    // When `stop` returns, all of this is so already.
    assert!(!is_locked(&sandbox.pidfile()));
    sandbox.assert_names([]);
    assert_nobody(&sandbox);
    program.expect_death_by(Sent::SIGTERM);
    // What is gone already was stopped.
    holder.stop(PATIENCE).unwrap();
    holder.kill(PATIENCE).unwrap();
    assert!(holder.wait(Some(IN_VAIN)).unwrap());
}

#[test]
fn a_killed_holder_leaves_a_file_that_nobody_holds() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = sandbox.hold();
    found(&sandbox).kill(PATIENCE).unwrap();
    assert!(!is_locked(&sandbox.pidfile()));
    program.expect_death_by(Sent::SIGKILL);
    assert_nobody(&sandbox);
    sandbox.assert_names(["it.pid"]);
    sandbox.assert_next_start_works();
}

#[test]
fn a_living_process_that_a_stale_file_names_holds_nothing() {
    let sandbox = Sandbox::new();
    // The same program, which keeps a start from taking over.
    let mut living = holder(sandbox.path("other.pid"))
        .steps("acquire wait")
        .start();
    living.expect("held ");
    let path = sandbox.file("it.pid", format!("{}\n", living.pid()));
    let mut outside = holder(&path).steps("refuse_live=true holder").start();
    outside.expect("nobody");
}

#[test]
fn without_a_file_and_without_a_directory_nobody_holds() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    assert_nobody(&sandbox);
    assert!(
        pidfile::holder(sandbox.path("none/it.pid"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn a_signal_reaches_the_holder() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = holder(sandbox.pidfile())
        .steps("handle=SIGHUP acquire wait handled wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    let holder = found(&sandbox);
    holder.signal(Signal::HUP).unwrap();
    program.tell();
    program.expect(&format!("handled {}", Sent::SIGHUP as i32));
    let error = holder.signal(Signal::from_raw(12_345)).unwrap_err();
    assert!(
        error.to_string().contains("cannot signal the holder of"),
        "{error}"
    );
    assert!(program.is_running());
    program.tell();
    assert!(program.wait().success());
    // It is gone, and a signal says so.
    let error = holder.signal(Signal::HUP).unwrap_err();
    assert_eq!(error.exit_code(), 71);
    assert!(error.to_string().contains("no longer holds it"), "{error}");
}

#[test]
fn a_suspended_holder_is_woken_to_be_stopped() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = sandbox.hold();
    program.signal(Sent::SIGSTOP);
    let holder = found(&sandbox);
    eventually("the stop", || holder.is_suspended());
    holder.stop(PATIENCE).unwrap();
    program.expect_death_by(Sent::SIGTERM);
    assert!(!holder.is_suspended());
    sandbox.assert_names([]);
}

#[test]
fn a_holder_that_ignores_term_is_still_running_until_it_is_killed() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = holder(sandbox.pidfile())
        .steps("ignore=SIGTERM acquire wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    let holder = found(&sandbox);
    let error = holder.stop(IN_VAIN).unwrap_err();
    let Error::StillRunning { pid, ended, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((*pid, *ended), (program.pid(), None));
    assert_eq!(error.exit_code(), 75);
    let text = error.to_string();
    let expected = format!(
        "{} is still held after 50ms by process {pid} (holder); wait longer, or end it with SIGKILL",
        sandbox.pidfile().display()
    );
    assert_eq!(text, expected);
    holder.kill(PATIENCE).unwrap();
    program.expect_death_by(Sent::SIGKILL);
}

#[test]
fn a_daemon_that_cleans_up_is_stopped_although_its_worker_goes_on() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut daemon = holder(sandbox.pidfile())
        .steps("acquire fork=say:working,wait,say:done wait")
        .start();
    daemon.expect_held(&sandbox.pidfile());
    daemon.expect("working");
    found(&sandbox).stop(PATIENCE).unwrap();
    daemon.expect_death_by(Sent::SIGTERM);
    sandbox.assert_next_start_works();
    daemon.let_go();
    daemon.expect("done");
}

#[test]
fn a_worker_that_has_the_lock_of_a_killed_holder_is_waited_for() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut daemon = holder(sandbox.pidfile())
        .steps("acquire fork=say:working,wait wait")
        .start();
    daemon.expect_held(&sandbox.pidfile());
    daemon.expect("working");
    let holder = found(&sandbox);
    daemon.signal(Sent::SIGKILL);
    daemon.expect_death_by(Sent::SIGKILL);
    let error = holder.stop(IN_VAIN).unwrap_err();
    let Error::StillRunning { pid, ended, .. } = &error else {
        panic!("{error:?}");
    };
    assert_ne!(*pid, daemon.pid());
    assert_eq!(*ended, Some(daemon.pid()));
    daemon.let_go();
    holder.stop(PATIENCE).unwrap();
    sandbox.assert_next_start_works();
}

#[test]
fn this_process_is_found_and_not_waited_for() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    let holder = found(&sandbox);
    assert_eq!(holder.pid(), std::process::id());
    holder.signal(Signal::CONT).unwrap();
    for refused in [
        holder.stop(PATIENCE),
        holder.kill(PATIENCE),
        holder.wait(None).map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Config { .. })), "{refused:?}");
    }
    guard.release().unwrap();
    assert_nobody(&sandbox);
}

#[test]
fn a_program_that_locks_with_fcntl_is_a_holder() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut peer = holder(sandbox.pidfile())
        .steps("hold-by-fcntl wait")
        .start();
    peer.expect("locked");
    let found = found(&sandbox);
    assert_eq!(found.pid(), peer.pid());
    assert!(!found.wait(Some(IN_VAIN)).unwrap());
    found.stop(PATIENCE).unwrap();
    peer.expect_death_by(Sent::SIGTERM);
}

#[test]
fn every_holder_of_many_in_turn_is_the_one_that_is_stopped() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut bystander = holder(sandbox.path("other.pid"))
        .steps("acquire wait")
        .start();
    bystander.expect("held ");
    for _ in 0..50 {
        let mut program = sandbox.hold();
        let holder = found(&sandbox);
        assert_eq!(holder.pid(), program.pid());
        holder.stop(PATIENCE).unwrap();
        assert!(!sandbox.pidfile().exists());
        program.expect_death_by(Sent::SIGTERM);
    }
    assert!(bystander.is_running());
}

#[test]
fn a_holder_that_has_become_its_next_version_is_the_same_process() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let steps = "acquire wait exec-next=inherit,adopt,handle:SIGHUP,say:ready,wait,handled,wait";
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect_held(&sandbox.pidfile());
    let holder = found(&sandbox);
    program.tell();
    program.expect("inherited ");
    program.expect_held(&sandbox.pidfile());
    program.expect("ready");
    holder.signal(Signal::HUP).unwrap();
    program.tell();
    program.expect(&format!("handled {}", Sent::SIGHUP as i32));
    holder.stop(PATIENCE).unwrap();
    program.expect_death_by(Sent::SIGTERM);
    sandbox.assert_names([]);
}

#[test]
#[cfg(target_os = "linux")]
fn without_pidfd_a_holder_is_found_waited_for_and_stopped_all_the_same() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut program = sandbox.hold();
    let mut outside = holder(sandbox.pidfile())
        .steps("no-pidfd holder await-end=50 wait stop=30000 holder stop=30000 signal=SIGTERM")
        .start();
    outside.expect(&format!("holder {} holder ", program.pid()));
    outside.expect("there");
    outside.tell();
    // It is this process's child, so it is a zombie until it is waited for.
    outside.expect("stopped");
    program.expect_death_by(Sent::SIGTERM);
    outside.expect("nobody");
    outside.expect("stopped");
    outside.refusal().expect("Io", 71);
}

#[cfg(target_os = "linux")]
#[test]
fn without_pidfd_a_holder_that_ignores_term_is_still_running() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("ignore=SIGTERM acquire wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    let script = holder(sandbox.pidfile()).steps("no-pidfd holder stop=50");
    let mut outside = script.start();
    outside.expect("holder ");
    let refusal = outside.refusal().expect("StillRunning", 75);
    let process = format!("by process {} (holder); wait longer", program.pid());
    refusal.expect_message(process).expect_pid(program.pid());
}
