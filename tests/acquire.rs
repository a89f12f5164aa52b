//! A free path is held; a second start is refused and changes nothing.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::thread;

use nix::sys::signal::Signal;
use pidfile::{Error, Options, PidFile, Status};

use crate::support::{Sandbox, Snapshot, holder, is_locked, refused};

/// That the mode of the file is exact, whatever the umask.
#[track_caller]
fn assert_mode(umask: &str, setting: &str, mode: u32) {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let steps = format!("umask={umask} {setting} acquire wait");
    let mut program = holder(&path).steps(&steps).start();
    program.expect_held(&path);

    let file = fs::symlink_metadata(&path).unwrap();
    assert!(file.is_file());
    assert_eq!(file.mode() & 0o7777, mode, "umask {umask}, {setting}");
    assert_eq!(file.nlink(), 1);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{}\n", program.pid())
    );
    assert!(is_locked(&path));
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn content_is_exactly_the_pid_and_the_mode_0644_under_umask_0() {
    assert_mode("0", "", 0o644);
}

#[test]
fn content_is_exactly_the_pid_and_the_mode_0644_under_umask_077() {
    assert_mode("077", "", 0o644);
}

#[test]
fn content_is_exactly_the_pid_and_the_mode_0644_under_umask_0777() {
    assert_mode("0777", "", 0o644);
}

#[test]
fn chmod_is_exact_whatever_the_umask() {
    // One sandbox each, one after the other.
    assert_mode("0", "chmod=600", 0o600);
    assert_mode("0777", "chmod=600", 0o600);
    assert_mode("077", "chmod=664", 0o664);
    assert_mode("0", "chmod=640", 0o640);
}

#[test]
fn the_guard_knows_its_path_and_pid_and_its_drop_removes_the_file() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let guard = PidFile::acquire(&path).unwrap();
    assert_eq!(guard.path(), path);
    assert_eq!(guard.pid(), std::process::id());
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{}\n", std::process::id())
    );
    assert!(is_locked(&path));
    drop(guard);
    sandbox.assert_names([]);
}

#[test]
fn release_removes_the_file_and_the_path_is_free_again() {
    let sandbox = Sandbox::new();
    for _ in 0..3 {
        let guard = PidFile::options()
            .path(sandbox.pidfile())
            .acquire()
            .unwrap();
        guard.release().unwrap();
        sandbox.assert_names([]);
    }
    sandbox.assert_next_start_works();
}

#[test]
fn a_guard_may_be_dropped_on_another_thread() {
    let sandbox = Sandbox::new();
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    thread::spawn(move || drop(guard)).join().unwrap();
    sandbox.assert_names([]);
}

#[test]
fn many_files_are_held_at_once_and_each_goes_alone() {
    let sandbox = Sandbox::new();
    let path = |number: usize| sandbox.path(&format!("{number:02}.pid"));
    let mut guards: Vec<_> = (0..40)
        .map(|number| PidFile::acquire(path(number)).unwrap())
        .collect();
    assert!((0..40).all(|number| is_locked(&path(number))));
    drop(guards.remove(7));
    assert!(!path(7).exists());
    assert_eq!(sandbox.names().len(), 39);
    drop(guards);
    sandbox.assert_names([]);
}

#[test]
fn second_process_is_refused_with_the_holders_pid() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut program = sandbox.hold();
    let before = Snapshot::of(&path);

    let error = refused(PidFile::acquire(&path));
    assert!(
        matches!(&error, Error::Locked { pid, .. } if *pid == Some(program.pid())),
        "{error:?}"
    );
    assert!(error.is_running());
    assert_eq!(error.pid(), Some(program.pid()));
    assert_eq!(error.path(), Some(path.as_path()));
    assert_eq!(error.exit_code(), 75);
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    assert!(message.contains(&program.pid().to_string()), "{message}");
    assert_eq!(std::io::Error::from(error).kind(), ErrorKind::WouldBlock);

    assert_eq!(Snapshot::of(&path), before, "bytes, times, mode and inode");
    sandbox.assert_names(["it.pid"]);
    assert!(is_locked(&path));

    program.signal(Signal::SIGKILL);
    program.expect_death_by(Signal::SIGKILL);
    sandbox.assert_next_start_works();
}

#[test]
fn second_process_ends_with_status_75_and_a_message_that_names_file_and_holder() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let guard = PidFile::acquire(&path).unwrap();
    let before = Snapshot::of(&path);

    let mut second = holder(&path).steps("acquire wait").start();
    let refusal = second
        .refusal()
        .expect("Locked", 75)
        .expect_pid(guard.pid())
        .expect_message(path.display())
        .expect_message(guard.pid());
    second.expect_exit(75);
    assert_eq!(refusal.path, path);

    assert_eq!(Snapshot::of(&path), before);
    sandbox.assert_names(["it.pid"]);
    guard.release().unwrap();
    sandbox.assert_names([]);
}

#[test]
fn second_process_is_refused_whatever_its_options_say() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let program = sandbox.hold();
    let before = Snapshot::of(&path);
    for options in [
        Options::new().allow_same_process(true),
        Options::new().refuse_live(true),
        Options::new().chmod(0o600),
        Options::new().at_exit(false).signals(false),
    ] {
        let error = refused(options.path(&path).acquire());
        assert!(matches!(error, Error::Locked { .. }), "{error:?}");
        assert_eq!(error.pid(), Some(program.pid()));
        assert_eq!(Snapshot::of(&path), before);
    }
}

#[test]
fn twice_in_one_process_names_ourselves_and_leaves_the_first_guard_unharmed() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let first = PidFile::acquire(&path).unwrap();
    let before = Snapshot::of(&path);
    for _ in 0..3 {
        let error = refused(PidFile::acquire(&path));
        assert!(matches!(error, Error::Locked { .. }), "{error:?}");
        assert_eq!(error.pid(), Some(std::process::id()));
    }
    assert_eq!(Snapshot::of(&path), before);
    assert!(is_locked(&path));
    assert_eq!(Options::new().path(&path).status().unwrap(), Status::Own);
    first.release().unwrap();
    sandbox.assert_names([]);
    PidFile::acquire(&path).unwrap().release().unwrap();
}

#[test]
fn allow_same_process_succeeds_and_its_drop_removes_nothing() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let first = PidFile::acquire(&path).unwrap();
    let before = Snapshot::of(&path);
    let second = Options::new()
        .path(&path)
        .allow_same_process(true)
        .acquire()
        .unwrap();
    assert_eq!((second.path(), second.pid()), (first.path(), first.pid()));
    drop(second);
    assert_eq!(Snapshot::of(&path), before);
    assert!(is_locked(&path));
    // A release removes nothing either, though it reports success.
    let third = Options::new()
        .path(&path)
        .allow_same_process(true)
        .acquire()
        .unwrap();
    third.release().unwrap();
    assert_eq!(Snapshot::of(&path), before);
    assert!(is_locked(&path));
    first.release().unwrap();
    sandbox.assert_names([]);
}

#[test]
fn allow_same_process_outlives_the_first_guard_and_harms_no_successor() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let first = PidFile::acquire(&path).unwrap();
    let second = Options::new()
        .path(&path)
        .allow_same_process(true)
        .acquire()
        .unwrap();
    first.release().unwrap();
    sandbox.assert_names([]);

    let program = sandbox.hold();
    let before = Snapshot::of(&path);
    drop(second);
    assert_eq!(Snapshot::of(&path), before, "the next holder's file");
    assert!(is_locked(&path));
    drop(program);
}

#[test]
fn the_reservation_of_a_second_guard_is_adopted_by_its_own_process_alone() {
    let sandbox = Sandbox::new();
    let steps = "acquire allow_same_process=true acquire hand-over";
    let mut program = holder(sandbox.pidfile())
        .steps(steps)
        .steps("fork=adopt reap adopt wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    program.expect_held(&sandbox.pidfile());
    program.refusal().expect("Lost", 71);
    program.expect("child exited 0");
    program.expect_held(&sandbox.pidfile());
}

#[test]
fn a_guard_and_a_reservation_show_path_and_number() {
    let sandbox = Sandbox::new();
    let options = Options::new().path(sandbox.pidfile());
    let path = format!("path: {:?}, ", sandbox.pidfile());
    let pid = format!("pid: {}", std::process::id());
    let guard = options.acquire().unwrap();
    let shown = format!("{guard:?}");
    assert!(shown.starts_with("PidFile {"), "{shown}");
    assert!(shown.contains(&path) && shown.contains(&pid), "{shown}");
    drop(guard);
    let shown = format!("{:?}", options.reserve().unwrap());
    assert!(shown.starts_with("Reservation {"), "{shown}");
    assert!(shown.contains(&path) && shown.contains(&pid), "{shown}");
}

#[test]
fn allow_same_process_alone_holds_like_any_other() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let options = Options::new().path(&path).allow_same_process(true);
    let first = options.acquire().unwrap();
    assert!(is_locked(&path));
    let second = options.acquire().unwrap();
    drop(second);
    assert!(path.exists());
    drop(first);
    sandbox.assert_names([]);
}

#[test]
fn without_the_lock_a_second_acquire_in_one_process_is_refused_too() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let options = Options::new().path(&path).lock(false);
    let first = options.acquire().unwrap();
    let before = Snapshot::of(&path);
    let error = refused(options.acquire());
    assert!(error.is_running(), "{error:?}");
    assert_eq!(error.pid(), Some(std::process::id()));
    assert_eq!(Snapshot::of(&path), before);
    drop(options.clone().allow_same_process(true).acquire().unwrap());
    assert_eq!(Snapshot::of(&path), before);
    first.release().unwrap();
    sandbox.assert_names([]);
}
