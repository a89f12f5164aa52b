//! A reservation in place, or in a directory that is closed by then, is adopted in place.

use std::fs;
use std::path::Path;

use super::made_ready;
use crate::support::{Sandbox, Snapshot, can_unshare, eventually, holder, is_locked, set_mode};

#[test]
fn a_file_held_in_place_is_adopted_in_place_even_if_it_could_be_replaced_by_then() {
    for by_then in [0o555, 0o777] {
        let sandbox = Sandbox::new();
        let path = made_ready(&sandbox, "2147483647\n", 0o644);
        assert_adopted_in_place(&sandbox, &path, by_then);
    }
}

#[test]
fn a_file_in_a_directory_that_is_closed_by_then_is_adopted_in_place() {
    let sandbox = Sandbox::new();
    let path = sandbox.folder("run", 0o777).join("it.pid");
    assert_adopted_in_place(&sandbox, &path, 0o555);
}

#[track_caller]
fn assert_adopted_in_place(sandbox: &Sandbox, path: &Path, by_then: u32) {
    let steps = "reserve wait detach=fork adopt wait forget";
    let mut terminal = holder(path).steps(steps).unprivileged(sandbox).start();
    terminal.expect("reserved ");
    let reserved = Snapshot::of(path);
    assert_eq!(reserved.bytes, format!("{}\n", terminal.pid()).as_bytes());
    set_mode(path.parent().unwrap(), by_then);
    terminal.tell();
    let line = terminal.expect("held ");
    terminal.expect_exit(0);
    let (daemon, _) = line.split_once(' ').unwrap();
    assert_ne!(daemon, terminal.pid().to_string());
    let adopted = Snapshot::of(path);
    assert_eq!(adopted.inode, reserved.inode);
    assert_eq!(adopted.bytes, format!("{daemon}\n").as_bytes());
    assert!(is_locked(path));
    terminal.let_go();
    eventually("emptied", || {
        fs::read(path).unwrap().is_empty() && !is_locked(path)
    });
}

#[test]
fn what_a_child_holds_in_place_does_not_decide_how_it_adopts() {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--mount"]) {
        return;
    }
    let source = sandbox.file("source", "");
    let mounted = sandbox.file("mounted.pid", "");
    let path = sandbox.pidfile();
    let child = format!(
        "path:{},acquire,adopt,say:adopted,wait,exit:0",
        mounted.display()
    );
    let mut parent = holder(&path)
        .steps("reserve wait private-mounts")
        .set(
            "bind",
            format!("{},{}", source.display(), mounted.display()),
        )
        .set("fork", child)
        .steps("reap _exit=0")
        .start();
    parent.expect("reserved ");
    let reserved = Snapshot::of(&path);
    parent.tell();
    parent.expect("held ");
    parent.expect("held ");
    parent.expect("adopted");
    assert_ne!(
        Snapshot::of(&path).inode,
        reserved.inode,
        "the lock is shared with the parent"
    );
    parent.tell();
    parent.expect("child exited 0");
    parent.expect_exit(0);
    assert_eq!(fs::read(&source).unwrap(), b"", "emptied");
    sandbox.assert_names(["mounted.pid", "source"]);
}
