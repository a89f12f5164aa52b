//! A C daemon that locks with `lockf` or `fcntl`. The kernel keeps these locks and ours apart: we ask
//! for both, and such a program asks for its own kind alone. What we do about its files is in
//! `record_locks`.

use nix::sys::signal::Signal::SIGKILL;

use super::{assert_held_by, assert_stale, left_behind};
use crate::support::{Sandbox, Script, Snapshot, cc, holder, is_locked};

const SOURCE: &str = include_str!("../programs/peer.c");

/// The documented exception.
#[test]
fn a_daemon_that_uses_lockf_or_fcntl_gets_in_while_we_hold() {
    let sandbox = Sandbox::new();
    let Some(peer) = cc(&sandbox.path("peer"), SOURCE, &[]) else {
        return;
    };
    let path = sandbox.pidfile();
    for kind in ["lockf", "write", "ofd-write"] {
        let held = sandbox.hold();
        let before = Snapshot::of(&path);
        let mut daemon = Script::of(&peer).argument(&path).argument(kind).start();
        daemon.expect("ready ");
        assert!(is_locked(&path), "both hold it");
        // It is our lock that the next start is told about.
        let refusal = holder(&path).steps("acquire").refusal();
        refusal.expect("Locked", 75).expect_pid(held.pid());
        daemon.tell();
        daemon.expect_exit(0);
        assert_eq!(Snapshot::of(&path), before, "{kind}");
        assert_held_by(&path, Some(held.pid()));
    }
}

#[test]
fn a_daemon_that_uses_lockf_holds_a_file_that_we_left_until_it_ends_or_is_killed() {
    let sandbox = Sandbox::new();
    let Some(peer) = cc(&sandbox.path("peer"), SOURCE, &[]) else {
        return;
    };
    let path = sandbox.pidfile();
    for is_killed in [false, true] {
        let pid = left_behind(&sandbox);
        let mut daemon = Script::of(&peer).argument(&path).argument("lockf").start();
        daemon.expect("ready ");
        assert_held_by(&path, Some(daemon.pid()));
        if is_killed {
            daemon.signal(SIGKILL);
            daemon.expect_death_by(SIGKILL);
        } else {
            daemon.tell();
            daemon.expect_exit(0);
        }
        assert_stale(&sandbox, Some(pid));
    }
}
