//! Where the directory cannot be written, an existing file is held in place: rewritten, and emptied
//! at the end.

mod adopted;

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::PathBuf;

use nix::sys::signal::Signal;
use pidfile::{PidFile, Status};

use crate::support::{
    Program, Sandbox, Script, Snapshot, USER, can_unshare, holder, is_locked, is_root, refused,
    set_mode,
};

/// A file prepared for an ordinary user, in a directory that this user cannot write.
fn made_ready(sandbox: &Sandbox, bytes: &str, mode: u32) -> PathBuf {
    let folder = sandbox.folder("run", 0o755);
    let path = folder.join("it.pid");
    fs::write(&path, bytes).unwrap();
    if nix::unistd::geteuid().is_root() {
        chown(&path, Some(USER), Some(USER)).unwrap();
    }
    set_mode(&path, mode);
    set_mode(&folder, 0o555);
    path
}

fn start(sandbox: &Sandbox, path: &PathBuf, steps: &str) -> Program {
    let script: Script = holder(path).steps(steps).unprivileged(sandbox);
    let mut program = script.start();
    program.expect_held(path);
    program
}

#[test]
fn a_file_made_ready_in_an_unwritable_directory_is_held_in_place_and_emptied() {
    for bytes in ["", "1\n", "2147483647\n"] {
        let sandbox = Sandbox::new();
        let path = made_ready(&sandbox, bytes, 0o644);
        let before = Snapshot::of(&path);
        let mut program = start(&sandbox, &path, "acquire wait release wait");
        let held = Snapshot::of(&path);
        assert_eq!(held.inode, before.inode);
        assert_eq!((held.mode, held.owner), (0o644, before.owner));
        assert_eq!(
            held.bytes,
            format!("{}\n", program.pid()).as_bytes(),
            "no digit of {bytes:?} is left"
        );
        assert!(is_locked(&path));
        let error = refused(PidFile::acquire(&path));
        assert_eq!(
            (error.is_running(), error.pid()),
            (true, Some(program.pid())),
            "{error:?}"
        );

        program.tell();
        program.expect("released");
        let after = Snapshot::of(&path);
        assert_eq!(
            (after.inode, after.bytes.as_slice()),
            (before.inode, &b""[..])
        );
        assert!(!is_locked(&path), "though the process lives");
        assert_eq!(pidfile::status(&path).unwrap(), Status::Stale { pid: None });
        let mut next = start(&sandbox, &path, "acquire wait");
        next.tell();
        next.expect_exit(0);
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}

/// The descriptors were closed behind the library's back, and the program acquires the same file
/// again, in place and at the same numbers. They are those of the younger guard now.
#[test]
fn an_older_guard_closes_nothing_of_a_younger_one_on_the_same_numbers() {
    let sandbox = Sandbox::new();
    let path = made_ready(&sandbox, "", 0o644);
    let steps = "acquire close-all acquire drop-first verify say=dropped wait release wait";
    let mut program = start(&sandbox, &path, steps);
    program.expect_held(&path);
    program.expect("verify Ok(())");
    program.expect("dropped");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{}\n", program.pid())
    );
    assert!(is_locked(&path));
    program.tell();
    program.expect("released");
    assert_eq!(fs::read(&path).unwrap(), b"");
    assert!(!is_locked(&path));
    let folder = path.parent().unwrap();
    assert!(!program.has_open(&path) && !program.has_open(folder));
}

/// The number of the file is closed behind the library's back, the next instance takes the file in
/// place, and then the program opens the same file at the same number, without its lock.
#[test]
fn the_file_of_the_next_holder_is_not_emptied_through_a_descriptor_of_the_same_number() {
    for ending in ["release", "", "cleanup", "forget exit=0"] {
        let sandbox = Sandbox::new();
        let path = made_ready(&sandbox, "", 0o644);
        let steps = "acquire wait close=4 verify say=closed wait";
        // Nothing that the caller has open is in the way of our numbers.
        let script = holder(&path)
            .under(&["sh", "-c", "exec \"$@\" 3>&- 4>&-", "sh"])
            .steps(steps)
            .set("open-ten", &path)
            .steps(&format!("status say=opened wait {ending}"));
        let mut program = script.unprivileged(&sandbox).start();
        program.expect_held(&path);
        let file = program
            .descriptors()
            .into_iter()
            .find(|(number, _)| *number == 4);
        assert_eq!(file, Some((4, path.clone())), "the number that is closed");
        program.tell();
        program.expect("verify Err(DescriptorClosed)");
        program.expect("closed");
        let next = start(&sandbox, &path, "acquire wait");
        program.tell();
        // Not `Own`, although the number means that file again.
        program.expect(&format!("status Held {{ pid: Some({}) }}", next.pid()));
        program.expect("opened");
        program.tell();
        let _status = program.wait();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{}\n", next.pid()),
            "{ending}"
        );
        assert!(is_locked(&path), "{ending}");
    }
}

#[test]
fn a_file_held_in_place_is_emptied_by_every_end() {
    let sandbox = Sandbox::new();
    let path = made_ready(&sandbox, "", 0o644);
    for (steps, signal) in [
        ("acquire wait", None),
        ("acquire forget wait exit=0", None),
        ("acquire wait", Some(Signal::SIGTERM)),
        ("acquire forget wait", Some(Signal::SIGHUP)),
    ] {
        let mut program = start(&sandbox, &path, steps);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            format!("{}\n", program.pid())
        );
        program.end(signal);
        assert_eq!(fs::read(&path).unwrap(), b"", "{steps} {signal:?}");
    }
}

#[test]
fn without_the_lock_a_wait_ends_when_this_process_releases_a_file_that_stays() {
    let sandbox = Sandbox::new();
    let path = made_ready(&sandbox, "", 0o644);
    let steps = "lock=false acquire drop-when-told on-wait patience=max acquire";
    let mut program = start(&sandbox, &path, steps);
    let inode = Snapshot::of(&path).inode;
    program.expect("notice ");
    program.tell();
    program.expect_held(&path);
    assert_eq!(Snapshot::of(&path).inode, inode);
    program.expect_exit(0);
}

#[test]
fn a_record_that_is_not_written_whole_is_an_error_and_emptied() {
    // The system writes that many bytes, and the rest would stay from the old number.
    for limit in ["limit-size=0", "limit-size=3"] {
        let sandbox = Sandbox::new();
        let path = made_ready(&sandbox, "2147483647\n", 0o644);
        let script = holder(&path).steps("ignore=SIGXFSZ").steps(limit);
        let script = script.steps("acquire").unprivileged(&sandbox);
        let refusal = script.refusal().expect("Io", 73);
        refusal.expect_message(path.display());
        assert_eq!(fs::read_to_string(&path).unwrap(), "", "{limit}");
        assert!(!is_locked(&path));
    }
}

#[test]
fn a_file_held_in_place_gets_the_mode_that_was_asked_for() {
    let sandbox = Sandbox::new();
    let path = made_ready(&sandbox, "2147483647\n", 0o644);
    let program = start(&sandbox, &path, "chmod=600 acquire wait");
    let held = Snapshot::of(&path);
    assert_eq!(held.mode, 0o600);
    assert_eq!(held.bytes, format!("{}\n", program.pid()).as_bytes());
}

/// That the file, once prepared, is neither held nor changed.
#[track_caller]
fn assert_refused(prepare: impl FnOnce(&Sandbox, &PathBuf), mode: u32) {
    let sandbox = Sandbox::new();
    let path = made_ready(&sandbox, "2147483647\n", mode);
    prepare(&sandbox, &path);
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect_one_of(&["Insecure", "Io"]);
    assert_eq!(Snapshot::of(&path), before);
}

#[test]
fn a_file_that_others_can_write_is_not_held_in_place() {
    assert_refused(|_, _| (), 0o646);
    assert_refused(|_, _| (), 0o666);
    assert_refused(|_, _| (), 0o664);
}

#[test]
fn a_file_with_another_name_is_not_held_in_place() {
    assert_refused(
        |sandbox, path| fs::hard_link(path, sandbox.path("other")).unwrap(),
        0o644,
    );
}

#[test]
fn a_file_that_is_not_a_pidfile_is_not_held_in_place() {
    let sandbox = Sandbox::new();
    let path = made_ready(&sandbox, "my notes\n", 0o644);
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect("NotPidfile", 73);
    assert_eq!(Snapshot::of(&path), before);
}

#[test]
fn a_file_of_root_is_not_held_in_place_by_an_ordinary_user() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = made_ready(&sandbox, "2147483647\n", 0o644);
    chown(&path, Some(0), Some(0)).unwrap();
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect("Io", 77);
    assert_eq!(Snapshot::of(&path), before);
    assert_eq!(fs::metadata(&path).unwrap().uid(), 0);
}

#[test]
fn a_mount_point_cannot_be_replaced_and_is_held_in_place() {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--mount"]) {
        return;
    }
    let source = sandbox.file("source", "2147483647\n");
    let path = sandbox.file("it.pid", "");
    let both = format!("{},{}", source.display(), path.display());
    let script = holder(&path).steps("private-mounts").set("bind", both);
    let mut program = script.steps("acquire wait release wait").start();
    program.expect_held(&path);
    assert_eq!(
        fs::read_to_string(&source).unwrap(),
        format!("{}\n", program.pid())
    );
    assert!(is_locked(&source));
    let error = refused(PidFile::acquire(&source));
    assert_eq!(error.pid(), Some(program.pid()), "{error:?}");
    program.tell();
    program.expect("released");
    assert_eq!(
        fs::read(&source).unwrap(),
        b"",
        "emptied, since it cannot be removed"
    );
    assert!(!is_locked(&source));
    sandbox.assert_names(["it.pid", "source"]);
}
