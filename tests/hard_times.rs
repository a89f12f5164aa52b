//! A full disk, a lease that another program has, a clock that stands still: a start succeeds or is
//! refused, and never hangs.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::FlockArg;
use nix::sys::signal::Signal::SIGKILL;

use crate::support::{
    Mount, Program, Sandbox, Script, Snapshot, cc, eventually, holder, is_root, lock, needs,
};

const PEER: &str = include_str!("programs/peer.c");

/// Fills the file system.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    let mut size = 1 << 16;
    while size > 0 {
        if file.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
}

#[test]
fn a_stale_file_on_a_full_disk_is_taken_over_in_place() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let makers: [&dyn Fn() -> Option<Mount>; 3] = [
        &|| {
            Mount::by(
                &sandbox,
                &["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", "mnt"],
            )
        },
        &|| {
            // With a size, or filling it would take half of the memory.
            let options = "size=1m,nr_inodes=4";
            Mount::by(
                &sandbox,
                &["mount", "-t", "tmpfs", "-o", options, "tmpfs", "mnt"],
            )
        },
        &|| Mount::image(&sandbox, "mkfs.ext4 -q -F", 4 << 20),
    ];
    for make in makers {
        let Some(mount) = make() else {
            continue;
        };
        let path = mount.dir().join("it.pid");
        fs::write(&path, "2147483647\n").unwrap();
        fill(&mount.dir().join("filler"));
        // No inode is left either, where they are counted.
        for number in 0.. {
            if File::create(mount.dir().join(number.to_string())).is_err() || number > 64 {
                break;
            }
        }
        let before = Snapshot::of(&path);
        let listing = crate::support::names(mount.dir());
        let mut program = holder(&path).steps("acquire wait").start();
        program.expect_held(&path);
        let record = fs::read_to_string(&path).unwrap();
        assert_eq!(record, format!("{}\n", program.pid()));
        assert_eq!(crate::support::names(mount.dir()), listing);
        let refusal = holder(&path).steps("acquire").refusal();
        refusal.expect("Locked", 75).expect_pid(program.pid());
        drop(before);

        // Killed, it leaves a stale file again.
        program.signal(SIGKILL);
        program.wait();
        let mut next = holder(&path).steps("acquire wait").start();
        next.expect_held(&path);
        next.tell();
        next.expect_exit(0);
        let left = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(left, "", "removed or emptied");
    }
}

/// A program that has a lease on the stale file.
fn leased(sandbox: &Sandbox, kind: &str) -> Option<(Program, PathBuf)> {
    let peer = cc(&sandbox.path("peer"), PEER, &[])?;
    let path = sandbox.file("it.pid", "2147483647\n");
    let mut program = Script::of(peer).argument(&path).argument(kind).start();
    let line = program.line();
    needs(line.is_some(), "file leases").then_some((program, path))
}

fn is_lease_being_broken() -> bool {
    let leases = fs::read_to_string("/proc/locks").unwrap();
    leases.lines().any(|line| line.contains("BREAKING"))
}

#[test]
fn a_lease_on_a_stale_file_does_not_fail_a_start() {
    for settings in ["", "patience=max", "refuse_live=true", "lock=false"] {
        let sandbox = Sandbox::new();
        let Some((_peer, path)) = leased(&sandbox, "lease") else {
            return;
        };
        let script = holder(&path).steps(settings).steps("acquire wait");
        let mut program = script.start();
        program.expect_held(&path);
    }
}

#[test]
fn a_lease_does_not_fail_a_status() {
    let sandbox = Sandbox::new();
    let Some((_peer, path)) = leased(&sandbox, "lease") else {
        return;
    };
    let mut program = holder(&path).steps("status").start();
    program.expect("status Stale { pid: Some(2147483647) }");
}

#[test]
fn a_waiter_waits_until_a_lease_is_given_up() {
    let sandbox = Sandbox::new();
    let Some((mut peer, path)) = leased(&sandbox, "stubborn-lease") else {
        return;
    };
    let mut waiter = holder(&path).steps("patience=max acquire wait").start();
    // It asks for the file, and the kernel asks the other program.
    eventually("the lease is being broken", is_lease_being_broken);
    waiter.expect_silence();
    peer.tell();
    peer.expect_exit(0);
    waiter.expect_held(&path);
}

#[test]
fn a_waiter_outlasts_a_lease_that_is_kept_for_longer_than_one_attempt() {
    let sandbox = Sandbox::new();
    // By this clock an attempt is over at once.
    let Some(clock) = clock(&sandbox, "1000000000") else {
        return;
    };
    let Some((mut peer, path)) = leased(&sandbox, "stubborn-lease") else {
        return;
    };
    let script = holder(&path).env("LD_PRELOAD", &clock);
    let mut waiter = script.steps("patience=max acquire wait").start();
    eventually("the lease is being broken", is_lease_being_broken);
    peer.tell();
    peer.expect_exit(0);
    waiter.expect_held(&path);
}

#[test]
fn a_lease_that_is_kept_refuses_a_start_that_does_not_wait() {
    let sandbox = Sandbox::new();
    let Some((mut peer, path)) = leased(&sandbox, "stubborn-lease") else {
        return;
    };
    // Not `Snapshot`, which opens the file: that waits until the kernel takes the lease away.
    let facts = || {
        let facts = fs::symlink_metadata(&path).unwrap();
        (facts.ino(), facts.len(), facts.ctime(), facts.ctime_nsec())
    };
    let before = facts();
    let refusal = holder(&path).steps("acquire").refusal();
    assert_eq!(refusal.exit_code, 75, "{refusal:?}");
    assert!(peer.is_running());
    assert_eq!(facts(), before);
    peer.tell();
    peer.expect_exit(0);
    sandbox.assert_next_start_works();
}

/// Clocks that stand still, and that go backwards.
const CLOCKS: [&str; 2] = ["0", "-1000000"];

/// A library that replaces the clock, if the program can be given one.
pub(crate) fn clock(sandbox: &Sandbox, step: &str) -> Option<PathBuf> {
    const SOURCE: &str = "
        #include <time.h>
        int clock_gettime(clockid_t clock, struct timespec *now) {
            static long long nanoseconds = 1000000000000000;
            (void)clock;
            nanoseconds += STEP;
            now->tv_sec = nanoseconds / 1000000000;
            now->tv_nsec = nanoseconds % 1000000000;
            return 0;
        }";
    // A static program loads no library.
    if !needs(
        !cfg!(target_env = "musl"),
        "a program with a dynamic C library",
    ) {
        return None;
    }
    let output = sandbox.path(&format!("clock{step}.so"));
    let arguments = ["-shared", "-fPIC"].map(OsStr::new);
    cc(&output, &SOURCE.replace("STEP", step), &arguments)
}

#[test]
fn a_clock_that_stands_still_hangs_no_start() {
    let sandbox = Sandbox::new();
    for step in CLOCKS {
        let Some(clock) = clock(&sandbox, step) else {
            return;
        };
        let start = |steps: &str| {
            let script = holder(sandbox.pidfile()).env("LD_PRELOAD", &clock);
            script.steps(steps).start()
        };
        let assert_refused_and_asked = || {
            let refusal = start("acquire").refusal();
            assert_eq!(refusal.exit_code, 75, "{refusal:?}");
            start("status").expect("status ");
        };
        // Free, locked by a reader, stale, locked by a holder, and over every kind of record.
        start("acquire release").expect("held ");
        let path = sandbox.file("it.pid", "");
        let locked = lock(&path, FlockArg::LockShared);
        assert_refused_and_asked();
        drop(locked);
        for record in ["", "1\n", "2147483647\n", "214748364"] {
            let path = sandbox.file("it.pid", record);
            start("acquire wait").expect("held ");
            sandbox.file("it.pid", record);
            let _locked = lock(&path, FlockArg::LockExclusive);
            assert_refused_and_asked();
            fs::remove_file(&path).unwrap();
        }
        let mut held = sandbox.hold();
        start("acquire")
            .refusal()
            .expect("Locked", 75)
            .expect_pid(held.pid());
        held.tell();
        held.expect_exit(0);
    }
}

#[test]
fn a_clock_that_stands_still_hangs_no_end_of_a_wait() {
    let sandbox = Sandbox::new();
    let Some(clock) = clock(&sandbox, "0") else {
        return;
    };
    let mut held = sandbox.hold();
    let script = holder(sandbox.pidfile()).env("LD_PRELOAD", &clock);
    let mut waiter = script.steps("patience=max acquire wait").start();
    eventually("a waiter", || waiter.has_open(&sandbox.pidfile()));
    held.tell();
    held.expect_exit(0);
    waiter.expect_held(&sandbox.pidfile());
}
