//! The list of all locks is read only where nothing else tells the holder. While it is read, every
//! `flock` on the machine waits; and it may be long.

use std::fs::File;

use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::sys::signal::Signal;

use super::{bystander, stopped};
use crate::hard_times::clock;
use crate::support::{Call, Sandbox, Snapshot, Stepped, holder, is_root};

/// Whether a process is about to open the list of all locks.
fn opens_the_list(stepped: &Stepped, call: &Call) -> bool {
    // The first argument of `open`, the second one of `openat`.
    let mut paths = call.arguments[..2].iter().map(|path| stepped.string(*path));
    paths.any(|path| path == b"/proc/locks")
}

#[test]
fn it_is_not_read_for_a_holder_that_the_file_names() {
    for dies in [false, true] {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let mut held = sandbox.hold();
        let inode = Snapshot::of(&path).inode;
        // Its patience with the lock is limited in time too, which may be up on a busy machine.
        let Some(clock) = clock(&sandbox, "0") else {
            return;
        };
        let (mut program, mut stepped) = stopped(holder(&path).env("LD_PRELOAD", clock));
        let locks = |stepped: &Stepped, call: &Call| {
            let file = stepped.file(call.arguments[0]);
            call.number == libc::SYS_flock && file.is_some_and(|(_, file)| file == inode)
        };
        let is_report = |call: &Call| call.number == libc::SYS_write && call.arguments[0] == 1;
        // It is refused an exclusive lock, and then a shared one.
        let mut tries = 0;
        loop {
            let call = stepped.next_call().expect("it reports");
            assert!(!opens_the_list(&stepped, &call), "{dies}");
            tries += u32::from(locks(&stepped, &call));
            assert!(stepped.make_call());
            if tries == 2 && dies && held.is_running() {
                held.signal(Signal::SIGKILL);
                held.expect_death_by(Signal::SIGKILL);
            }
            if is_report(&call) {
                break;
            }
        }
        assert!(tries >= 2, "it has tried to lock the file");
        drop(stepped);
        if dies {
            program.expect_held(&path);
        } else {
            program.refusal().expect("Locked", 75);
        }
    }
}

#[test]
fn it_is_not_read_at_every_try_for_a_process_that_does_not_hold_the_file() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    // What root has open, another user learns from the list only.
    let bystander = bystander();
    let path = sandbox.file("it.pid", format!("{}\n", bystander.pid()));
    let locked = Flock::lock(File::open(&path).unwrap(), FlockArg::LockExclusive);
    let Some(clock) = clock(&sandbox, "0") else {
        return;
    };
    let script = holder(&path).unprivileged(&sandbox);
    let (mut program, mut stepped) = stopped(script.env("LD_PRELOAD", clock));
    let (mut pauses, mut reads) = (0, 0);
    while let Some(call) = stepped.next_call() {
        pauses += u32::from(call.number == libc::SYS_clock_nanosleep);
        reads += u32::from(opens_the_list(&stepped, &call));
        if call.number == libc::SYS_write && call.arguments[0] == 1 {
            break;
        }
        assert!(stepped.make_call());
    }
    drop(stepped);
    let refusal = program.refusal().expect("Locked", 75);
    assert!([None, Some(std::process::id())].contains(&refusal.pid));
    drop(locked);
    // At the first try and at the last one, each time until the list is complete.
    assert!((1..=20).contains(&reads) && pauses > 40, "{reads} {pauses}");
}
