//! A start that gives an ordinary user more privileges: neither the environment nor `argv[0]`, which
//! that user wrote, choose the place.

use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{
    OTHER_USER, Sandbox, Script, USER, has_program, is_root, names, needs, set_mode,
};

/// Where the program puts its file for that user, who wrote all that surrounds it.
#[track_caller]
fn resolved(program: &Path, user: u32, dir: &Path, steps: &str) -> PathBuf {
    let script = Script::new().user(user, program).argv0("sshd");
    let script = ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "TMPDIR"]
        .into_iter()
        .fold(script, |script, name| script.env(name, dir));
    script
        .steps(steps)
        .steps("resolve")
        .start()
        .expect("resolved ")
        .into()
}

/// A directory of the user who starts the program.
fn directory(sandbox: &Sandbox) -> PathBuf {
    let dir = sandbox.folder("chosen", 0o700);
    chown(&dir, Some(USER), Some(USER)).unwrap();
    dir
}

/// That the place is not the user's choice, in any of the ways to choose it.
#[track_caller]
fn assert_not_chosen(program: &Path, dir: &Path) {
    for steps in ["", "name=it", "temp_dir=true", "temp_dir=true name=it"] {
        let path = resolved(program, USER, dir, steps);
        assert!(!path.starts_with(dir), "{steps}: {}", path.display());
        assert_ne!(path.file_stem().unwrap(), "sshd", "{steps}");
    }
    // The name is that of the executable, whatever the program was told.
    let path = resolved(program, USER, dir, "dir=/run");
    assert_eq!(path.file_name(), Some("holder.pid".as_ref()));
    assert!(names(dir).is_empty());
}

/// That the user does choose it where the start is not privileged.
#[track_caller]
fn assert_chosen(program: &Path, dir: &Path) {
    assert_eq!(resolved(program, USER, dir, ""), dir.join("sshd.pid"));
}

#[test]
fn a_set_uid_start_takes_neither_the_environment_nor_argv_0() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let program = sandbox.open_to_all();
    let dir = directory(&sandbox);
    assert_chosen(&program, &dir);
    for owner in [0, OTHER_USER] {
        chown(&program, Some(owner), None).unwrap();
        set_mode(&program, 0o4755);
        assert_not_chosen(&program, &dir);
    }
}

#[test]
fn a_set_gid_start_takes_neither_the_environment_nor_argv_0() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let program = sandbox.open_to_all();
    let dir = directory(&sandbox);
    for group in [0, OTHER_USER] {
        chown(&program, None, Some(group)).unwrap();
        set_mode(&program, 0o2755);
        assert_not_chosen(&program, &dir);
    }
}

#[test]
fn a_start_with_file_capabilities_takes_neither_the_environment_nor_argv_0() {
    let sandbox = Sandbox::new();
    if !is_root() || !has_program("setcap") {
        return;
    }
    let program = sandbox.open_to_all();
    let dir = directory(&sandbox);
    for capabilities in [
        "cap_net_bind_service=ep",
        "cap_dac_override=ep",
        "cap_kill=p",
    ] {
        let set = Command::new("setcap")
            .arg(capabilities)
            .arg(&program)
            .output()
            .unwrap();
        if !needs(set.status.success(), "a file system with file capabilities") {
            return;
        }
        assert_not_chosen(&program, &dir);
    }
    let removed = Command::new("setcap").arg("-r").arg(&program).status();
    assert!(removed.unwrap().success());
    assert_chosen(&program, &dir);
}

#[test]
fn a_set_uid_start_does_not_take_over_the_file_of_another_daemon() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let program = sandbox.open_to_all();
    set_mode(&program, 0o4755);
    let run = sandbox.folder("run", 0o755);
    let victim = sandbox.file("run/sshd.pid", "2147483647\n");
    let script = Script::new()
        .user(USER, &program)
        .argv0("/usr/sbin/sshd")
        .set("dir", &run);
    let mut start = script.steps("acquire wait").start();
    start.expect_held(&run.join("holder.pid"));
    start.tell();
    start.expect_exit(0);
    assert_eq!(std::fs::read_to_string(victim).unwrap(), "2147483647\n");
}
