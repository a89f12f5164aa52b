//! A variable that was forged, or that has outlived its program, holds nothing and harms no file.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::fcntl::FlockArg;
use nix::sys::signal::Signal;

use crate::support::{Refusal, Sandbox, Script, Snapshot, holder, is_locked, lock};

const VARIABLE: &str = "PIDFILE_INHERITED";

/// A variable about the pidfile that claims this descriptor.
fn claim(path: &Path, descriptor: &str) -> String {
    let facts = fs::metadata(path).expect("the file is there");
    // The device as the kernel's `stat` numbers it, and so does the library.
    let (dev, ino) = (facts.dev(), facts.ino());
    format!("{descriptor}:{dev}:{ino}:644:-:-:yyn:{}", path.display())
}

/// What a program answers to a variable, with descriptor 7 open on a file.
fn answer(variable: &str, open: &Path) -> Script {
    let open = format!("exec 7<>{} \"$@\"", open.display());
    Script::new()
        .steps("inherit say=over")
        .env(VARIABLE, variable)
        .under(&["sh", "-c", &open, "sh"])
}

fn refusal(variable: &str, open: &Path) -> Refusal {
    let mut program = answer(variable, open).start();
    let refusal = program.refusal();
    program.expect("over");
    refusal
}

#[test]
fn a_forged_variable_holds_nothing_and_harms_no_file() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let other = sandbox.file("other", "1\n");
    let before = Snapshot::of(&path);

    // Not one of ours at all.
    for variable in ["", "7", "x", "-1:0:0:644:-:-:yyn:/run/it.pid"] {
        refusal(variable, &other)
            .expect("Config", 78)
            .expect_message(VARIABLE);
    }
    // The mode is checked as that of the options.
    let world_writable = claim(&path, "7").replace(":644:", ":666:");
    {
        let _held = lock(&path, FlockArg::LockExclusive);
        refusal(&world_writable, &path).expect("Config", 78);
    }
    // A foreign descriptor.
    refusal(&claim(&path, "7"), &other)
        .expect("Config", 78)
        .expect_message(path.display())
        .expect_message("to process ")
        .expect_message("is open on another file; unset it");
    // The right one, of a file that is free.
    refusal(&claim(&path, "7"), &path)
        .expect("Config", 78)
        .expect_message("the file is free");
    assert!(!is_locked(&path));
    // The right one, of a file that another process holds.
    let held = lock(&path, FlockArg::LockExclusive);
    refusal(&claim(&path, "7"), &path)
        .expect("Config", 78)
        .expect_message("another process holds the file");
    drop(held);
    // A standard one.
    let mut program = answer(&claim(&path, "0"), &path).start();
    program.refusal().expect("Config", 78);
    // None: the variable has outlived its program.
    for closed in ["8", "1000000"] {
        let mut program = answer(&claim(&path, closed), &path).start();
        program.expect("nothing inherited");
    }
    assert_eq!(Snapshot::of(&path), before);
    sandbox.assert_names(["it.pid", "other"]);
}

#[test]
fn a_variable_about_a_descriptor_that_this_image_opened_has_outlived_its_program() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let before = Snapshot::of(&path);
    // These two are the lowest free ones, so those of the directory and the file that it holds.
    for number in ["3", "4"] {
        let mut program = holder(sandbox.path("own.pid"))
            .steps("acquire inherit")
            .env(VARIABLE, claim(&path, number))
            .under(&["sh", "-c", "exec \"$@\" 3>&- 4>&-", "sh"])
            .start();
        program.expect("held ");
        program.expect("nothing inherited");
        program.expect_exit(0);
    }
    assert_eq!(Snapshot::of(&path), before);
}

#[test]
fn what_has_lost_its_name_on_the_way_is_lost() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let claimed = claim(&path, "7");
    fs::rename(&path, sandbox.path("old")).unwrap();
    let old = sandbox.path("old");
    refusal(&claimed, &old).expect("Lost", 71);
    let _new = sandbox.hold();
    refusal(&claimed, &old).expect("Lost", 71);
    assert!(is_locked(&path));
}

#[test]
fn a_lock_that_was_taken_by_hand_and_passed_on_is_a_hold_like_any_other() {
    // The lock decides: `flock` in a shell holds the file, and may pass it on.
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let claimed = claim(&path, "7");
    let script = format!("exec 7<>{} && flock -n 7 && exec \"$@\"", path.display());
    let mut program = Script::new()
        .steps("inherit adopt verify wait")
        .env(VARIABLE, claimed)
        .under(&["sh", "-c", &script, "sh"])
        .start();
    program.expect("inherited ");
    program.expect_held(&path);
    program.expect("verify Ok(())");
    program.signal(Signal::SIGTERM);
    program.expect_death_by(Signal::SIGTERM);
    sandbox.assert_names([]);
}
