//! What a service manager lays out for a daemon is used, and a place that was asked for is never
//! replaced by another one without a word.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::{Path, PathBuf};

use crate::support::{
    OTHER_USER, Program, Sandbox, Script, Snapshot, USER, can_unshare, is_root, names, set_mode,
};

/// A program of a user that gets this runtime directory, and no other place but its own `TMPDIR`.
fn service(sandbox: &Sandbox, user: u32, runtime: &Path, tmp: &Path) -> Script {
    let copy = sandbox.path("bin/holder");
    let script = Script::new()
        .user(user, &copy)
        .without_env("XDG_RUNTIME_DIR");
    script
        .env("RUNTIME_DIRECTORY", runtime)
        .env("TMPDIR", tmp)
        .steps("name=it")
}

/// A folder of that user's.
fn folder_of(sandbox: &Sandbox, name: &str, user: u32, mode: u32) -> PathBuf {
    let folder = sandbox.folder(name, mode);
    chown(&folder, Some(user), Some(user)).unwrap();
    folder
}

#[track_caller]
fn expect_held_in(program: &mut Program, dir: &Path) {
    program.expect_held(&dir.join("it.pid"));
}

#[test]
fn a_runtime_directory_behind_roots_symlink_is_used() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    sandbox.open_to_all();
    // `DynamicUser=yes` with `RuntimeDirectoryPreserve=yes`.
    sandbox.folder("private", 0o755);
    let real = folder_of(&sandbox, "private/thermod", USER, 0o755);
    let link = sandbox.path("thermod");
    symlink("private/thermod", &link).unwrap();
    // Each start has a /tmp of its own, as with `PrivateTmp=yes`.
    let [one, two] = ["one", "two"].map(|name| folder_of(&sandbox, name, USER, 0o700));

    let mut first = service(&sandbox, USER, &link, &one)
        .steps("acquire wait")
        .start();
    first.expect_held(&link.join("it.pid"));
    assert_eq!(names(&real), ["it.pid"]);
    let second = service(&sandbox, USER, &link, &two)
        .steps("acquire")
        .refusal();
    second.expect("Locked", 75).expect_pid(first.pid());
    assert!(names(&one).is_empty() && names(&two).is_empty());
    first.tell();
    first.expect_exit(0);
    assert!(names(&real).is_empty());
}

#[test]
fn a_runtime_directory_behind_a_strangers_symlink_is_an_error() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    sandbox.open_to_all();
    let real = folder_of(&sandbox, "real", USER, 0o755);
    let shared = sandbox.folder("shared", 0o1777);
    let link = shared.join("thermod");
    symlink(&real, &link).unwrap();
    lchown(&link, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    let tmp = folder_of(&sandbox, "tmp", USER, 0o700);
    // A link that is trusted leads to one that is not.
    let own = sandbox.path("own");
    symlink(link.join(""), &own).unwrap();
    for written in [link.clone(), link.join(""), link.join("."), own] {
        let refusal = service(&sandbox, USER, &written, &tmp)
            .steps("acquire")
            .refusal();
        refusal
            .expect("Insecure", 77)
            .expect_message(link.display());
        assert!(names(&real).is_empty() && names(&tmp).is_empty());
    }
}

#[test]
fn a_runtime_directory_with_a_group_is_used() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    sandbox.open_to_all();
    let tmp = folder_of(&sandbox, "tmp", USER, 0o700);
    for mode in [0o770, 0o775, 0o2770, 0o700, 0o755] {
        // `RuntimeDirectoryMode=0770`
        let dir = folder_of(&sandbox, &format!("{mode:o}"), USER, mode);
        let mut first = service(&sandbox, USER, &dir, &tmp)
            .steps("acquire wait")
            .start();
        expect_held_in(&mut first, &dir);
        let second = service(&sandbox, USER, &dir, &tmp)
            .steps("acquire")
            .refusal();
        second.expect("Locked", 75).expect_pid(first.pid());
        assert!(names(&tmp).is_empty());
    }
}

#[test]
fn a_runtime_directory_that_cannot_be_used_is_an_error_that_names_it() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    sandbox.open_to_all();
    let tmp = folder_of(&sandbox, "tmp", USER, 0o700);
    let unusable = [
        folder_of(&sandbox, "open", USER, 0o777),
        sandbox.folder("sticky", 0o1777),
        folder_of(&sandbox, "foreign", OTHER_USER, 0o755),
        sandbox.path("missing"),
        sandbox.file("file", ""),
        PathBuf::from("relative"),
    ];
    for dir in unusable {
        for steps in ["acquire", "status", "resolve", "reserve"] {
            let script = service(&sandbox, USER, &dir, &tmp).steps(steps);
            let refusal = script.refusal();
            let refusal = refusal.expect_message(dir.display());
            assert!(
                !["Locked", "Running"].contains(&refusal.variant.as_str()),
                "{refusal:?}"
            );
        }
        assert!(names(&tmp).is_empty(), "{} is not replaced", dir.display());
    }
    // The same for root, who would find /run.
    let refusal = Script::new()
        .env("RUNTIME_DIRECTORY", sandbox.path("missing"))
        .steps("name=pidfile-tests resolve")
        .refusal();
    refusal.expect_message(sandbox.path("missing").display());
}

#[test]
fn the_first_entry_of_several_runtime_directories_decides() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    sandbox.open_to_all();
    let tmp = folder_of(&sandbox, "tmp", USER, 0o700);
    let one = folder_of(&sandbox, "first", USER, 0o755);
    let two = folder_of(&sandbox, "second", USER, 0o755);
    let both =
        |one: &Path, two: &Path| PathBuf::from(format!("{}:{}", one.display(), two.display()));
    let mut program = service(&sandbox, USER, &both(&one, &two), &tmp)
        .steps("acquire wait")
        .start();
    expect_held_in(&mut program, &one);
    let missing = both(&sandbox.path("missing"), &two);
    service(&sandbox, USER, &missing, &tmp)
        .steps("acquire")
        .refusal();
    assert!(names(&two).is_empty());
}

#[test]
fn a_private_tmp_does_not_divide_two_starts_with_one_runtime_directory() {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--mount"]) {
        return;
    }
    set_mode(sandbox.dir(), 0o755);
    let run = folder_of(&sandbox, "run", USER, 0o770);
    let tmp = sandbox.folder("tmp", 0o1777);
    let private = |number: u32| {
        let own = sandbox.folder(&format!("own-{number}"), 0o1777);
        let script = Script::new()
            .env("RUNTIME_DIRECTORY", &run)
            .env("TMPDIR", &tmp);
        let script = script
            .without_env("XDG_RUNTIME_DIR")
            .steps("private-mounts name=it");
        let script = script.set("bind", format!("{},{}", own.display(), tmp.display()));
        script.steps(&format!("become={USER} acquire wait")).start()
    };
    let mut first = private(1);
    expect_held_in(&mut first, &run);
    private(2)
        .refusal()
        .expect("Locked", 75)
        .expect_pid(first.pid());
}

#[test]
fn a_dir_below_a_sticky_directory_is_made_and_used() {
    let sandbox = Sandbox::new();
    let sticky = sandbox.folder("sticky", 0o1777);
    let start = |dir: &Path| {
        let script = Script::new()
            .set("dir", dir)
            .steps("umask=022 name=it acquire wait");
        script.unprivileged(&sandbox).start()
    };
    for below in ["thermod", "a/b/c"] {
        let dir = sticky.join(below);
        let mut program = start(&dir);
        expect_held_in(&mut program, &dir);
        let made = Snapshot::of(&dir);
        assert_eq!(made.mode, 0o755);
        if is_root() {
            assert_eq!(made.owner.0, USER);
        }
        start(&dir)
            .refusal()
            .expect("Locked", 75)
            .expect_pid(program.pid());
    }
}

#[test]
fn a_dir_below_a_sticky_directory_is_not_made_through_what_a_stranger_put_there() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let sticky = sandbox.folder("sticky", 0o1777);
    let victim = sandbox.folder("victim", 0o777);
    let squatted = sticky.join("squatted");
    fs::create_dir(&squatted).unwrap();
    set_mode(&squatted, 0o777);
    let link = sticky.join("link");
    symlink(&victim, &link).unwrap();
    for path in [&squatted, &link] {
        lchown(path, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    }
    fs::write(sticky.join("file"), "").unwrap();
    for dir in [
        "squatted/run",
        "squatted/a/b",
        "link/run",
        "link/a/b",
        "file/run",
    ] {
        let script = Script::new()
            .set("dir", sticky.join(dir))
            .steps("name=it acquire");
        let refusal = script.unprivileged(&sandbox).refusal();
        refusal.expect_one_of(&["Insecure", "Io"]);
    }
    assert!(names(&victim).is_empty() && names(&squatted).is_empty());
}
