//! The system refuses: an error or its signal, nothing left, and a later start works once the system
//! provides what is needed.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::support::{Program, Sandbox, Snapshot, can_unshare, holder, names, set_mode};

#[test]
fn an_unwritable_directory_is_an_error_that_leaves_nothing_and_works_later() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o555);
    let path = folder.join("it.pid");
    let mut program = holder(&path)
        .steps("try wait acquire wait")
        .unprivileged(&sandbox)
        .start();
    program
        .refusal()
        .expect("Io", 77)
        .expect_message(folder.display())
        .expect_message("; its directory belongs to user ")
        .expect_message(" and has mode 555; run as that user, or use another directory");
    assert!(names(&folder).is_empty());

    set_mode(&folder, 0o777);
    program.tell();
    program.expect_held(&path);
    program.tell();
    program.expect_exit(0);
    set_mode(&folder, 0o755);
    assert!(names(&folder).is_empty());
}

#[test]
fn a_directory_that_cannot_be_searched_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o600);
    holder(folder.join("it.pid"))
        .steps("acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect("Io", 77)
        .expect_message(folder.display());
    set_mode(&folder, 0o700);
    assert!(names(&folder).is_empty());
}

/// A program with a file system of its own on a folder, and the folder as that program sees it.
fn with_own_mount(sandbox: &Sandbox, steps: &str) -> Option<(Program, PathBuf)> {
    let folder = sandbox.folder("run", 0o755);
    if !can_unshare(&["--mount"]) {
        return None;
    }
    let script = holder(folder.join("it.pid"))
        .steps("private-mounts")
        .set("tmpfs", &folder);
    let mut program = script
        .steps("say=ready wait")
        .steps_in(&folder, steps)
        .start();
    program.expect("ready");
    let seen = PathBuf::from(format!("/proc/{}/root{}", program.pid(), folder.display()));
    Some((program, seen))
}

#[test]
fn a_read_only_file_system_is_an_error_that_leaves_nothing_and_works_later() {
    let sandbox = Sandbox::new();
    let steps = "read-only=DIR try say=tried wait read-write=DIR acquire wait";
    let Some((mut program, seen)) = with_own_mount(&sandbox, steps) else {
        return;
    };
    program.tell();
    program
        .refusal()
        .expect("Io", 73)
        .expect_message("; the file system is read-only; use another directory");
    program.expect("tried");
    assert!(names(&seen).is_empty());
    program.tell();
    program.expect("held ");
    assert_eq!(names(&seen), ["it.pid"]);
    program.tell();
    program.expect_exit(0);
}

#[test]
fn a_stale_file_on_a_read_only_file_system_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    let steps = "read-only=DIR try say=tried wait";
    let Some((mut program, seen)) = with_own_mount(&sandbox, steps) else {
        return;
    };
    fs::write(seen.join("it.pid"), "2147483647\n").unwrap();
    let before = Snapshot::of(seen.join("it.pid"));
    program.tell();
    program.refusal().expect("Io", 73);
    program.expect("tried");
    assert_eq!(Snapshot::of(seen.join("it.pid")), before);
}

/// Fills the file system.
fn fill(path: PathBuf) {
    let mut file = File::create(path).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

#[test]
fn a_full_disk_is_an_error_that_leaves_nothing_and_works_later() {
    let sandbox = Sandbox::new();
    let steps = "try say=tried wait acquire wait";
    let Some((mut program, seen)) = with_own_mount(&sandbox, steps) else {
        return;
    };
    fill(seen.join("filler"));
    program.tell();
    program
        .refusal()
        .expect("Io", 73)
        .expect_message("; free some space, or use another directory");
    program.expect("tried");
    assert_eq!(names(&seen), ["filler"]);
    fs::remove_file(seen.join("filler")).unwrap();
    program.tell();
    program.expect("held ");
    program.tell();
    program.expect_exit(0);
}

#[test]
fn without_descriptors_left_it_is_an_error_that_leaves_nothing_and_works_later() {
    let sandbox = Sandbox::new();
    // The limit is on the number of a descriptor, and those below three are taken.
    let tries = "limit-files=3 try limit-files=4 try limit-files=5 try limit-files=max";
    let steps = format!("say=ready wait {tries} say=tried wait acquire wait");
    let mut program = holder(sandbox.pidfile()).steps(&steps).start();
    program.expect("ready");
    let before = program.descriptors();
    program.tell();
    let mut refused = 0;
    loop {
        let line = program.line().unwrap();
        if line == "tried" {
            break;
        }
        if line.starts_with("held ") {
            // The limit was enough for a guard after all.
            break;
        }
        assert!(line.starts_with("refused\tIo\t"), "{line}");
        refused += 1;
    }
    assert!(refused >= 2, "a guard needs two descriptors");
    if refused == 3 {
        assert_eq!(program.descriptors(), before);
        sandbox.assert_names([]);
        program.tell();
        program.expect_held(&sandbox.pidfile());
    }
    drop(program);
    sandbox.assert_next_start_works();
}

#[test]
fn without_descriptors_left_a_stale_file_is_left_as_it_is() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let before = Snapshot::of(&path);
    for limit in 3..5 {
        holder(&path)
            .steps(&format!("limit-files={limit} acquire"))
            .refusal()
            .expect("Io", 73);
        assert_eq!(Snapshot::of(&path), before);
    }
    sandbox.assert_next_start_works();
}

#[test]
fn a_file_size_limit_of_0_ends_the_process_by_its_signal_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("limit-size=0 acquire")
        .start();
    program.expect_death_by(Signal::SIGXFSZ);
    sandbox.assert_names([]);
    sandbox.assert_next_start_works();
}

#[test]
fn a_file_size_limit_of_0_with_its_signal_ignored_is_an_error_that_leaves_nothing() {
    let sandbox = Sandbox::new();
    let steps = "ignore=SIGXFSZ limit-size=0 try limit-size=max say=tried wait acquire wait";
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.refusal().expect("Io", 73);
    program.expect("tried");
    sandbox.assert_names([]);
    program.tell();
    program.expect_held(&sandbox.pidfile());
}

#[test]
fn a_file_size_limit_of_0_leaves_a_stale_file_as_it_is() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("limit-size=0 acquire")
        .start()
        .expect_death_by(Signal::SIGXFSZ);
    assert_eq!(Snapshot::of(&path), before);
    holder(&path)
        .steps("ignore=SIGXFSZ limit-size=0 acquire")
        .refusal()
        .expect("Io", 73);
    assert_eq!(Snapshot::of(&path), before);
    sandbox.assert_names(["it.pid"]);
    sandbox.assert_next_start_works();
}

#[test]
fn an_owner_that_may_not_be_given_is_an_error_that_leaves_nothing() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o777);
    let script = holder(folder.join("it.pid"))
        .steps("uid=0 acquire")
        .unprivileged(&sandbox);
    let refusal = script.refusal().expect("Io", 77);
    // It is not the directory that refuses.
    assert!(!refusal.message.contains("directory"), "{refusal:?}");
    assert!(names(&folder).is_empty());
}
