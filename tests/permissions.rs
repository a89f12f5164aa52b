//! The owner of a file decides whether it may be replaced.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use pidfile::{Error, Options, PidFile};

use crate::support::{OTHER_USER, Sandbox, Snapshot, USER, holder, is_root, refused};

const STALE: &str = "2147483647\n";

#[track_caller]
fn assert_insecure(error: &Error, path: &Path) {
    assert!(matches!(error, Error::Insecure { .. }), "{error:?}");
    assert_eq!((error.path(), error.exit_code()), (Some(path), 77));
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
}

/// The three answers to a file of another user. They do not depend on how the machine protects
/// sticky directories.
pub(crate) fn assert_whose_file_it_is_decides(sandbox: &Sandbox) {
    // Refused.
    let theirs = sandbox.folder("theirs", 0o755);
    chown(&theirs, Some(USER), Some(USER)).unwrap();
    let path = theirs.join("it.pid");
    fs::write(&path, STALE).unwrap();
    chown(&path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let before = Snapshot::of(&path);
    let refusal = holder(&path)
        .steps("acquire")
        .unprivileged(sandbox)
        .refusal()
        .expect("Insecure", 77);
    assert_eq!(refusal.path, path);
    assert_eq!(Snapshot::of(&path), before);
    // For root too: the owner of the directory could put anything there.
    assert_insecure(&refused(PidFile::acquire(&path)), &path);
    assert_eq!(Snapshot::of(&path), before);

    // Taken over: only root can put a file there.
    let ours = sandbox.folder("ours", 0o755);
    let path = ours.join("it.pid");
    fs::write(&path, STALE).unwrap();
    chown(&path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let guard = PidFile::acquire(&path).unwrap();
    let after = Snapshot::of(&path);
    assert_eq!(after.owner.0, 0);
    assert_eq!(after.bytes, format!("{}\n", std::process::id()).as_bytes());
    guard.release().unwrap();
    assert!(!path.exists());

    // Refused: every user can put a file there.
    let shared = sandbox.folder("shared", 0o1777);
    let path = shared.join("it.pid");
    fs::write(&path, STALE).unwrap();
    chown(&path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let before = Snapshot::of(&path);
    assert_insecure(&refused(PidFile::acquire(&path)), &path);
    assert_eq!(Snapshot::of(&path), before);
    holder(&path)
        .steps("acquire")
        .unprivileged(sandbox)
        .refusal()
        .expect("Insecure", 77);
    assert_eq!(Snapshot::of(&path), before);

    // Our own file there is ours, and a free name too.
    fs::write(shared.join("own.pid"), STALE).unwrap();
    PidFile::acquire(shared.join("own.pid"))
        .unwrap()
        .release()
        .unwrap();
    PidFile::acquire(shared.join("free.pid"))
        .unwrap()
        .release()
        .unwrap();
    assert_eq!(crate::support::names(&shared), ["it.pid"]);
}

#[test]
fn a_file_of_another_user_is_refused_or_taken_over_by_where_it_is() {
    let sandbox = Sandbox::new();
    if is_root() {
        assert_whose_file_it_is_decides(&sandbox);
    }
}

#[test]
fn a_stale_file_of_root_is_taken_over_by_an_ordinary_user_who_may_remove_it() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let folder = sandbox.folder("run", 0o755);
    chown(&folder, Some(USER), Some(USER)).unwrap();
    let path = folder.join("it.pid");
    fs::write(&path, STALE).unwrap();
    let mut program = holder(&path)
        .steps("acquire wait")
        .unprivileged(&sandbox)
        .start();
    program.expect_held(&path);
    assert_eq!(Snapshot::of(&path).owner.0, USER);
}

#[test]
fn a_file_held_by_root_is_locked_for_an_ordinary_user_who_can_read_it() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    for (name, mode) in [("closed", 0o755), ("shared", 0o1777)] {
        let path = sandbox.folder(name, mode).join("it.pid");
        let guard = PidFile::acquire(&path).unwrap();
        let before = Snapshot::of(&path);
        holder(&path)
            .steps("acquire")
            .unprivileged(&sandbox)
            .refusal()
            .expect("Locked", 75)
            .expect_pid(guard.pid());
        assert_eq!(Snapshot::of(&path), before);
    }
}

#[test]
fn a_file_of_root_that_cannot_be_read_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = sandbox.folder("run", 0o1777).join("it.pid");
    let guard = Options::new().path(&path).chmod(0o600).acquire().unwrap();
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect("Io", 77)
        .expect_message(path.display());
    assert_eq!(Snapshot::of(&path), before);
    guard.release().unwrap();
}

#[test]
fn the_file_gets_the_owner_and_group_that_were_asked_for() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = sandbox.pidfile();
    let by_number = Options::new()
        .path(&path)
        .uid(USER)
        .gid(OTHER_USER)
        .chmod(0o640);
    for _ in 0..2 {
        let guard = by_number.acquire().unwrap();
        let facts = fs::symlink_metadata(&path).unwrap();
        assert_eq!(
            (facts.uid(), facts.gid(), facts.mode() & 0o7777),
            (USER, OTHER_USER, 0o640)
        );
        guard.release().unwrap();
        // The second time over a file that this owner has left.
        fs::write(&path, STALE).unwrap();
        chown(&path, Some(USER), Some(OTHER_USER)).unwrap();
    }
    fs::remove_file(&path).unwrap();
    let daemon = nix::unistd::User::from_name("daemon")
        .unwrap()
        .expect("every system has it");
    let by_name = Options::new().path(&path).owner("daemon").group("daemon");
    let guard = by_name.acquire().unwrap();
    let facts = fs::symlink_metadata(&path).unwrap();
    assert_eq!(facts.uid(), daemon.uid.as_raw());
    assert_eq!(
        facts.gid(),
        nix::unistd::Group::from_name("daemon")
            .unwrap()
            .unwrap()
            .gid
            .as_raw()
    );
    guard.release().unwrap();
    sandbox.assert_names([]);
}

#[test]
fn every_user_may_ask_for_its_own_user_and_group() {
    let sandbox = Sandbox::new();
    let (uid, gid) = (
        nix::unistd::geteuid().as_raw(),
        nix::unistd::getegid().as_raw(),
    );
    let guard = Options::new()
        .path(sandbox.pidfile())
        .uid(uid)
        .gid(gid)
        .acquire()
        .unwrap();
    assert_eq!(Snapshot::of(sandbox.pidfile()).owner, (uid, gid));
    drop(guard);
    sandbox.assert_names([]);
}

#[test]
fn a_file_of_the_configured_user_is_taken_over_where_every_user_can_write() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = sandbox.folder("shared", 0o1777).join("it.pid");
    fs::write(&path, STALE).unwrap();
    chown(&path, Some(USER), None).unwrap();
    assert_insecure(&refused(PidFile::acquire(&path)), &path);
    let guard = Options::new().path(&path).uid(USER).acquire().unwrap();
    assert_eq!(Snapshot::of(&path).owner.0, USER);
    guard.release().unwrap();
    assert!(!path.exists());
}
