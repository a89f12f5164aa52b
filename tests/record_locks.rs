//! Programs that lock with `fcntl` or `lockf` hold a file as well as those that use `flock`.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use pidfile::Options;

use crate::support::{
    Program, Sandbox, Script, Snapshot, UNSHARE, can_unshare, cc, has_program, holder, set_mode,
};

const SOURCE: &str = include_str!("programs/peer.c");

/// Every kind of lock that excludes an exclusive one.
const KINDS: [&str; 7] = [
    "lockf",
    "read",
    "write",
    "range",
    "ofd-read",
    "ofd-write",
    "ofd-range",
];

/// A file and a program that can lock it.
fn prepare(sandbox: &Sandbox) -> Option<(PathBuf, PathBuf)> {
    let peer = cc(&sandbox.path("peer"), SOURCE, &[])?;
    Some((sandbox.pidfile(), peer))
}

/// Starts a peer that locks the file, which then names it.
#[track_caller]
fn locked(path: &Path, peer: &Path, kind: &str) -> Program {
    fs::write(path, "2147483647\n").unwrap();
    let mut program = Script::of(peer).argument(path).argument(kind).start();
    program.expect("ready ");
    fs::write(path, format!("{}\n", program.pid())).unwrap();
    program
}

#[test]
fn a_file_locked_with_fcntl_or_lockf_is_held() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    for kind in KINDS {
        let mut program = locked(&path, &peer, kind);
        let before = Snapshot::of(&path);
        for settings in ["", "refuse_live=true", "chmod=600", "patience=20"] {
            let script = holder(&path).steps(settings).steps("acquire");
            let refusal = script.refusal().expect("Locked", 75);
            // The kernel does not say who has the lock of an open file.
            if kind.starts_with("ofd") {
                assert!([None, Some(program.pid())].contains(&refusal.pid), "{kind}");
            } else {
                assert_eq!(refusal.pid, Some(program.pid()), "{kind} {settings}");
            }
            assert_eq!(Snapshot::of(&path), before, "{kind} {settings}");
        }
        let status = Options::new().path(&path).status().unwrap();
        assert!(
            format!("{status:?}").starts_with("Held"),
            "{kind}: {status:?}"
        );
        assert_eq!(Snapshot::of(&path), before, "{kind}");
        program.tell();
        program.expect_exit(0);
        sandbox.assert_next_start_works();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_an_old_kernel_a_file_locked_with_fcntl_is_held_too() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    for kind in ["lockf", "read", "write", "range"] {
        let program = locked(&path, &peer, kind);
        let script = holder(&path).steps("no-ofd-locks acquire");
        let refusal = script.refusal().expect("Locked", 75);
        refusal.expect_pid(program.pid());
    }
}

#[test]
fn a_peer_that_locked_with_fcntl_and_names_another_process_is_held() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    for record in ["", "1\n", "2147483647\n"] {
        let program = locked(&path, &peer, "write");
        fs::write(&path, record).unwrap();
        let refusal = holder(&path).steps("acquire").refusal();
        let refusal = refusal.expect("Locked", 75);
        assert!(
            [None, Some(program.pid())].contains(&refusal.pid),
            "{record:?}: {refusal:?}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), record);
    }
}

#[test]
fn what_a_reader_locked_with_fcntl_hides_no_holder() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    let holding = sandbox.hold();
    let mut reader = Script::of(&peer).argument(&path).argument("read").start();
    reader.expect("ready ");
    let found = || holder(&path).steps("holder");
    found()
        .start()
        .expect(&format!("holder {} ", holding.pid()));
    // Not the reader either, if the record names no holder any more.
    fs::write(&path, "1\n").unwrap();
    let refusal = found().refusal().expect("UnknownHolder", 75);
    refusal.expect_pid(holding.pid());
}

#[test]
fn a_peer_that_locked_with_fcntl_is_the_holder_whatever_the_file_names() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    let program = locked(&path, &peer, "write");
    fs::write(&path, "1\n").unwrap();
    let refusal = holder(&path).steps("holder").refusal();
    refusal
        .expect("UnknownHolder", 75)
        .expect_pid(program.pid());
}

#[test]
fn a_peer_without_a_number_in_our_namespace_is_held_and_not_named() {
    let sandbox = Sandbox::new();
    if !can_unshare(&UNSHARE[1..]) {
        return;
    }
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    let _program = locked(&path, &peer, "write");
    let start = holder(&path).steps("acquire").under(&UNSHARE);
    start.refusal().expect("Locked", 75).expect_pid(None);
}

#[test]
fn a_waiter_waits_for_a_peer_that_locked_with_fcntl() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    for signal in [None, Some(Signal::SIGKILL)] {
        for kind in ["write", "ofd-write"] {
            let mut program = locked(&path, &peer, kind);
            let mut waiter = holder(&path).steps("patience=max acquire wait").start();
            crate::support::eventually("a waiter", || waiter.has_open(&path));
            waiter.expect_silence();
            match signal {
                Some(signal) => program.signal(signal),
                None => program.tell(),
            }
            waiter.expect_held(&path);
            waiter.tell();
            waiter.expect_exit(0);
        }
    }
}

#[test]
fn a_file_in_a_directory_that_cannot_be_written_is_held_by_a_peer_too() {
    let sandbox = Sandbox::new();
    let Some((_, peer)) = prepare(&sandbox) else {
        return;
    };
    let folder = sandbox.folder("run", 0o755);
    let path = folder.join("it.pid");
    let program = locked(&path, &peer, "write");
    set_mode(&folder, 0o555);
    let before = Snapshot::of(&path);
    let refusal = holder(&path).steps("acquire").refusal();
    refusal.expect("Locked", 75).expect_pid(program.pid());
    assert_eq!(Snapshot::of(&path), before);
    set_mode(&folder, 0o755);
}

#[test]
fn a_file_locked_by_pythons_fcntl_module_is_held() {
    const LOCK: &str = "import fcntl, os, sys; f = open(sys.argv[1], 'r+'); \
                        fcntl.lockf(f, fcntl.LOCK_EX | fcntl.LOCK_NB); \
                        f.write(f'{os.getpid()}\\n'); f.flush(); \
                        print('ready', flush=True); sys.stdin.read()";
    let sandbox = Sandbox::new();
    if !has_program("python3") {
        return;
    }
    let path = sandbox.file("it.pid", "");
    let script = Script::of("python3").argument("-c").argument(LOCK);
    let mut python = script.argument(&path).start();
    python.expect("ready");
    let holder_pid = fs::read_to_string(&path).unwrap();
    let refusal = holder(&path).steps("acquire").refusal();
    // A wrapper may have started another process.
    let refusal = refusal.expect("Locked", 75);
    assert_eq!(refusal.pid, holder_pid.trim().parse().ok());
    python.let_go();
    python.expect_exit(0);
    sandbox.assert_next_start_works();
}

#[test]
fn a_file_that_we_hold_can_be_locked_with_fcntl_and_stays_held() {
    let sandbox = Sandbox::new();
    let Some((path, peer)) = prepare(&sandbox) else {
        return;
    };
    // The library takes no record lock of its own, so a reader may.
    let held = sandbox.hold();
    let mut program = Script::of(&peer).argument(&path).argument("read").start();
    program.expect("ready ");
    let refusal = holder(&path).steps("acquire").refusal();
    refusal.expect("Locked", 75).expect_pid(held.pid());
    program.tell();
    program.expect_exit(0);
    drop(held);
    sandbox.assert_next_start_works();
}
