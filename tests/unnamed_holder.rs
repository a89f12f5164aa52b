//! A file that is held while its record does not name the holder.

use std::fs;

use nix::fcntl::FlockArg;
use pidfile::{Error, PidFile};

use crate::support::{Sandbox, Snapshot, eventually, is_locked, lock, refused};

#[test]
fn held_but_the_record_is_empty_is_locked_with_no_pid() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "");
    let lock = lock(&path, FlockArg::LockExclusive);
    let before = Snapshot::of(&path);
    let error = refused(PidFile::acquire(&path));
    assert!(
        matches!(error, Error::Locked { pid: None, .. }),
        "{error:?}"
    );
    assert_eq!((error.pid(), error.exit_code()), (None, 75));
    assert!(error.is_running());
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    assert_eq!(Snapshot::of(&path), before);
    drop(lock);
    sandbox.assert_next_start_works();
}

#[test]
fn held_with_the_record_of_another_process_is_locked_with_the_true_pid() {
    let sandbox = Sandbox::new();
    for recorded in [2_147_483_647, 1] {
        let record = format!("{recorded}\n");
        let path = sandbox.file("it.pid", &record);
        let _lock = lock(&path, FlockArg::LockExclusive);
        let error = refused(PidFile::acquire(&path));
        assert!(matches!(error, Error::Locked { .. }), "{error:?}");
        assert_eq!(error.pid(), Some(std::process::id()), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), record);
    }
}

#[test]
fn held_with_no_record_at_all_is_refused_and_left_alone() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "a text that is being edited\n");
    let _lock = lock(&path, FlockArg::LockExclusive);
    let before = Snapshot::of(&path);
    let error = refused(PidFile::acquire(&path));
    let refused = matches!(error, Error::Locked { .. } | Error::NotPidfile { .. });
    assert!(refused, "{error:?}");
    assert_eq!(Snapshot::of(&path), before);
}

#[test]
fn held_by_a_worker_whose_daemon_died_is_locked_with_no_pid() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut daemon = sandbox.hold_by_a_worker();

    let before = Snapshot::of(&path);
    let error = refused(PidFile::acquire(&path));
    assert!(
        matches!(error, Error::Locked { pid: None, .. }),
        "{error:?}"
    );
    assert_eq!(Snapshot::of(&path), before);

    daemon.let_go();
    eventually("the worker's end", || !is_locked(&path));
    sandbox.assert_next_start_works();
}

#[test]
fn a_reader_with_a_shared_lock_does_not_refuse_for_long() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let readers = lock(&path, FlockArg::LockShared);
    let error = refused(PidFile::acquire(&path));
    assert!(
        matches!(error, Error::Locked { .. } | Error::Contended { .. }),
        "{error:?}"
    );
    drop(readers);
    sandbox.assert_next_start_works();
}
