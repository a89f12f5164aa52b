//! A process that does not hold the file for certain is never signalled, whatever the file says. In
//! every test a stranger runs that must be alive at the end.

use std::fs;

use nix::fcntl::FlockArg;
use nix::sys::signal::Signal as Sent;
use pidfile::{Error, Options, Signal};

use crate::support::{
    IN_VAIN, PATIENCE, Program, Sandbox, Stranger, UNSHARE, assert_nobody, can_unshare, eventually,
    found, holder, is_root, lock,
};

/// The error, which must name this process (or none) and the file.
#[track_caller]
fn assert_unknown(sandbox: &Sandbox, has_lock: Option<u32>, named: Option<u32>) -> String {
    let error = pidfile::holder(sandbox.pidfile()).expect_err("the holder is not certain");
    let Error::UnknownHolder { pid, recorded, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!((*pid, *recorded), (has_lock, named), "{error}");
    assert_eq!((error.pid(), error.exit_code()), (has_lock, 75));
    assert_eq!(error.path(), Some(&*sandbox.pidfile()));
    assert!(error.is_running());
    error.to_string()
}

#[test]
fn a_stale_file_that_names_a_stranger_has_no_holder() {
    let sandbox = Sandbox::new();
    let stranger = Stranger::new();
    let path = sandbox.file("it.pid", stranger.record());
    assert_nobody(&sandbox);
    // Not even for options that make a living process count.
    let options = Options::new().path(&path).refuse_live(true);
    assert!(options.holder().unwrap().is_none());
    sandbox.file("it.pid", "");
    assert_nobody(&sandbox);
}

#[test]
fn a_lock_over_a_record_that_names_a_stranger_has_an_unknown_holder() {
    let sandbox = Sandbox::new();
    let stranger = Stranger::new();
    let path = sandbox.file("it.pid", stranger.record());
    let held = lock(&path, FlockArg::LockExclusive);
    let us = std::process::id();
    let text = assert_unknown(&sandbox, Some(us), Some(stranger.pid()));
    assert!(
        text.contains(&format!("but the file names process {}", stranger.pid())),
        "{text}"
    );
    drop(held);
    assert_nobody(&sandbox);
}

#[test]
fn an_overwritten_record_makes_the_holder_unknown() {
    let sandbox = Sandbox::new();
    let stranger = Stranger::new();
    let mut program = sandbox.hold();
    let holder = found(&sandbox);
    fs::write(sandbox.pidfile(), stranger.record()).unwrap();
    assert_unknown(&sandbox, Some(program.pid()), Some(stranger.pid()));
    // A holder that was certain before gets no signal either.
    let error = holder.signal(Signal::TERM).unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    let error = holder.stop(IN_VAIN).unwrap_err();
    assert!(error.is_running(), "{error:?}");
    fs::write(sandbox.pidfile(), "").unwrap();
    assert!(pidfile::holder(sandbox.pidfile()).unwrap_err().is_running());
    assert!(program.is_running());
    program.tell();
    assert!(program.wait().success());
}

#[test]
fn a_locked_file_that_is_not_a_pidfile_has_no_holder_to_stop() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let path = sandbox.file("it.pid", "a database\n");
    let _held = lock(&path, FlockArg::LockExclusive);
    let error = pidfile::holder(&path).unwrap_err();
    assert!(matches!(error, Error::NotPidfile { .. }), "{error:?}");
    for other in ["folder", "link"] {
        let path = sandbox.path(other);
        if other == "link" {
            std::os::unix::fs::symlink("it.pid", &path).unwrap();
        } else {
            fs::create_dir(&path).unwrap();
        }
        let error = pidfile::holder(&path).unwrap_err();
        assert!(matches!(error, Error::NotPidfile { .. }), "{error:?}");
    }
}

#[test]
fn without_the_lock_no_holder_is_certain() {
    let sandbox = Sandbox::new();
    let stranger = Stranger::new();
    let path = sandbox.file("it.pid", stranger.record());
    let options = Options::new().path(path).lock(false);
    let error = options.holder().unwrap_err();
    assert!(
        matches!(error, Error::UnknownHolder { pid: None, .. }),
        "{error:?}"
    );
}

#[test]
fn a_worker_that_keeps_the_lock_is_named_and_left_alone() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let mut daemon = holder(sandbox.pidfile())
        .steps("acquire fork=say:working,wait,say:done wait")
        .start();
    daemon.expect_held(&sandbox.pidfile());
    daemon.expect("working");
    let holder = found(&sandbox);
    assert_eq!(holder.pid(), daemon.pid());
    // On a busy machine the daemon itself may take longer to end.
    let mut error = None;
    eventually("the daemon's end", || {
        error = holder.kill(IN_VAIN).err();
        !matches!(error, Some(Error::StillRunning { ended: None, .. }))
    });
    let Some(Error::StillRunning { pid, ended, .. }) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*ended, Some(daemon.pid()));
    assert_ne!(*pid, daemon.pid());
    let worker = *pid;
    assert!(
        fs::read_to_string(format!("/proc/{worker}/comm"))
            .unwrap()
            .starts_with("holder")
    );
    daemon.expect_death_by(Sent::SIGKILL);
    assert!(!holder.wait(Some(IN_VAIN)).unwrap());

    // The record names the dead daemon, and the worker is not taken for it.
    assert_unknown(&sandbox, None, Some(daemon.pid()));

    // Its end frees the file, and whoever waits hears of it.
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| holder.wait(Some(PATIENCE)));
        daemon.let_go();
        daemon.expect("done");
        assert!(waiter.join().unwrap().unwrap());
    });
    sandbox.assert_next_start_works();
}

#[test]
fn a_holder_in_another_pid_namespace_is_not_signalled() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    if !can_unshare(&UNSHARE[1..]) {
        return;
    }
    let mut inside = holder(sandbox.pidfile())
        .steps("acquire wait")
        .under(&UNSHARE)
        .start();
    inside.expect("held 1 ");
    // Process 1 of this namespace is named, and it is not the holder.
    let error = pidfile::holder(sandbox.pidfile()).unwrap_err();
    let Error::UnknownHolder { pid, recorded, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(*recorded, Some(1));
    // From outside, the kernel knows the number that it has here.
    let children = format!("/proc/{0}/task/{0}/children", inside.pid());
    let number = fs::read_to_string(children).unwrap();
    assert_eq!(
        pid.map(|pid| pid.to_string()).as_deref(),
        Some(number.trim())
    );
    assert!(inside.is_running());

    // A third namespace has no number for it at all.
    let mut other = holder(sandbox.pidfile())
        .steps("holder")
        .under(&UNSHARE)
        .start();
    other
        .refusal()
        .expect("UnknownHolder", 75)
        .expect_pid(None)
        .expect_message("a process that cannot be identified");
    assert!(inside.is_running());
    inside.tell();
    assert!(inside.wait().success());
}

#[test]
fn a_holder_of_another_user_is_named_and_survives_whoever_may_not_signal_it() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    if !is_root() {
        return;
    }
    let mut program = sandbox.hold();
    let steps = "holder signal=TERM stop=1000 kill=1000";
    let mut other = holder(sandbox.pidfile())
        .steps(steps)
        .unprivileged(&sandbox)
        .start();
    other.expect(&format!("holder {} holder 0 awake", program.pid()));
    for _ in 0..3 {
        other
            .refusal()
            .expect("Io", 77)
            .expect_pid(None)
            .expect_message(format!(
                "it is process {} (holder) of user root",
                program.pid()
            ));
    }
    assert!(program.is_running());

    // Root may signal a holder of any user.
    program.tell();
    assert!(program.wait().success());
    let folder = sandbox.folder("run", 0o755);
    let user = Some(crate::support::USER);
    std::os::unix::fs::chown(&folder, user, user).unwrap();
    let path = folder.join("it.pid");
    let mut theirs: Program = holder(&path)
        .steps("acquire wait")
        .unprivileged(&sandbox)
        .start();
    theirs.expect_held(&path);
    let holder = pidfile::holder(&path).unwrap().expect("it is held");
    assert_eq!(holder.uid(), user);
    holder.stop(PATIENCE).unwrap();
    theirs.expect_death_by(Sent::SIGTERM);
}

#[test]
fn a_program_that_locks_with_fcntl_is_unknown_if_the_file_names_another_one() {
    let sandbox = Sandbox::new();
    let stranger = Stranger::new();
    let mut peer = holder(sandbox.pidfile())
        .steps("hold-by-fcntl wait")
        .start();
    peer.expect("locked");
    fs::write(sandbox.pidfile(), stranger.record()).unwrap();
    assert_unknown(&sandbox, Some(peer.pid()), Some(stranger.pid()));
    assert!(peer.is_running());
}

#[test]
#[cfg(target_os = "linux")]
fn without_proc_no_holder_is_certain() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    if !can_unshare(&["--mount"]) {
        return;
    }
    let mut program = sandbox.hold();
    let mut outside = holder(sandbox.pidfile())
        .steps("private-mounts tmpfs=/proc holder")
        .start();
    outside
        .refusal()
        .expect("UnknownHolder", 75)
        .expect_pid(None)
        .expect_message(format!("but the file names process {}", program.pid()));
    assert!(program.is_running());
}
