//! Programs with 32-bit numbers: an inode above 2^32, a time after 2038, and what such a program has in
//! common with the others.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal::{SIGKILL, SIGTERM};

use crate::support::{
    Mount, Sandbox, Script, cargo, holder, is_locked, is_root, needs, target_dir,
};

const TARGET: &str = "i686-unknown-linux-gnu";

/// The programs that a test starts: the usual one, and one with 32-bit numbers.
fn programs() -> Vec<PathBuf> {
    let mut programs = vec![PathBuf::from(env!("CARGO_BIN_EXE_holder"))];
    let arguments = ["build", "--quiet", "--bin", "holder", "--target", TARGET];
    if let Some(built) = cargo(env!("CARGO_MANIFEST_DIR").as_ref(), &arguments) {
        let program = target_dir().join(TARGET).join("debug/holder");
        let runs = built.status.success() && Command::new(&program).status().is_ok();
        if needs(runs, "a toolchain for i686, and gcc-multilib") {
            programs.push(program);
        }
    }
    programs
}

/// That a program holds, takes over, reports, adopts and cleans up there.
#[track_caller]
fn assert_holds(program: &Path, path: &Path, spoil: impl Fn(&Path)) {
    let script = || Script::of(program).set("path", path);
    let mut first = script().steps("acquire wait verify wait").start();
    first.expect_held(path);
    spoil(path);
    assert!(is_locked(path));
    script()
        .steps("acquire")
        .refusal()
        .expect("Locked", 75)
        .expect_pid(first.pid());
    let mut probe = script().steps("status").start();
    assert_eq!(
        probe.expect("status "),
        format!("Held {{ pid: Some({}) }}", first.pid())
    );
    first.tell();
    first.expect("verify Ok(())");
    first.signal(SIGTERM);
    first.expect_death_by(SIGTERM);
    assert!(!path.exists());

    let mut killed = script().steps("acquire wait").start();
    killed.expect_held(path);
    killed.signal(SIGKILL);
    killed.wait();
    spoil(path);
    let mut waiter = script()
        .steps("patience=max reserve fork=adopt,wait,release reap")
        .start();
    waiter.expect("reserved ");
    waiter.expect("held ");
    waiter.let_go();
    waiter.expect("released");
    waiter.expect_exit(0);
    assert!(!path.exists());
}

#[test]
fn an_inode_above_2_to_the_32_is_held_by_programs_of_every_width() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    // Of eight terabytes, so that inodes have large numbers; next to nothing of it exists.
    let Some(mount) = Mount::image(&sandbox, "mkfs.xfs -q -f -K -l size=64m", 8 << 40) else {
        return;
    };
    let folders = (0..64).map(|number| mount.dir().join(number.to_string()));
    let far = folders.filter_map(|folder| {
        fs::create_dir(&folder).ok()?;
        (fs::metadata(&folder).ok()?.ino() > 1 << 32).then_some(folder)
    });
    let Some(folder) = far.take(1).next() else {
        needs(false, "a file system with inodes above 2^32");
        return;
    };
    for program in programs() {
        let path = folder.join("it.pid");
        fs::write(&path, "2147483647\n").unwrap();
        assert!(fs::metadata(&path).unwrap().ino() > 1 << 32);
        assert_holds(&program, &path, |path| {
            assert!(fs::metadata(path).unwrap().ino() > 1 << 32);
        });
    }
}

#[test]
fn a_time_after_2038_does_not_matter_to_programs_of_any_width() {
    let sandbox = Sandbox::new();
    for program in programs() {
        for date in ["@2147483648", "@4294967297", "@-1", "@0"] {
            let touch = |path: &Path| {
                let touched = Command::new("touch")
                    .args(["-m", "-a", "-d", date])
                    .arg(path)
                    .status();
                assert!(touched.expect("touch").success());
            };
            let path = sandbox.file("it.pid", "2147483647\n");
            touch(&path);
            assert_holds(&program, &path, touch);
            let text = sandbox.file("text", "not a pidfile\n");
            touch(&text);
            let script = Script::of(&program).set("path", &text).steps("acquire");
            script.refusal().expect("NotPidfile", 73);
        }
    }
}

#[test]
fn a_directory_with_a_time_after_2038_is_used_and_made() {
    let sandbox = Sandbox::new();
    let dir = sandbox.folder("run", 0o755);
    let touched = Command::new("touch")
        .args(["-d", "@4294967297"])
        .arg(&dir)
        .status();
    assert!(touched.unwrap().success());
    for program in programs() {
        let script = Script::of(&program).set("dir", dir.join("below"));
        let mut started = script.steps("name=it acquire wait").start();
        started.expect_held(&dir.join("below/it.pid"));
        fs::metadata(dir.join("below/it.pid")).unwrap();
        let second = holder(dir.join("below/it.pid")).steps("acquire").refusal();
        second.expect("Locked", 75).expect_pid(started.pid());
        drop(started);
        fs::remove_dir_all(dir.join("below")).unwrap();
    }
}

#[test]
fn a_peer_that_locked_with_fcntl_is_named_by_programs_of_every_width() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut peer = holder(&path).steps("hold-by-fcntl wait").start();
    peer.expect("locked");
    for program in programs() {
        let script = Script::of(&program).set("path", &path).steps("acquire");
        script.refusal().expect("Locked", 75).expect_pid(peer.pid());
    }
    assert!(peer.is_running());
}

#[test]
fn a_file_is_passed_to_a_program_of_any_width() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for program in programs() {
        fs::write(&path, "2147483647\n").unwrap();
        let facts = fs::metadata(&path).unwrap();
        let (dev, ino, shown) = (facts.dev(), facts.ino(), path.display());
        let hold = format!("exec 7<>{shown} && flock -n 7 && exec \"$@\"");
        let passed = format!("7:{dev}:{ino}:644:-:-:yyn:{shown}");
        let mut next = Script::of(&program)
            .steps("inherit adopt wait")
            .env("PIDFILE_INHERITED", passed)
            .under(&["sh", "-c", &hold, "sh"])
            .start();
        next.expect("inherited ");
        next.expect_held(&path);
        next.signal(SIGTERM);
        next.expect_death_by(SIGTERM);
        sandbox.assert_names([]);
    }
}
