//! A pidfile whose name another process gives to a file of its own during an adoption.

use std::fs;
use std::path::PathBuf;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::Pid;

use crate::support::tracer::{self, Call, Surroundings};
use crate::support::{Sandbox, Snapshot, needs};

/// The file of the other process, which takes the name right before one of the calls.
struct Replaced {
    path: PathBuf,
    other: PathBuf,
    before: usize,
    calls: usize,
    /// Which call looks whether the name still means the old file, and so is the last that can tell.
    looks_at: Option<usize>,
}

impl Surroundings for Replaced {
    fn refuses(&self, _: &Call) -> Option<Errno> {
        None
    }

    fn before(&mut self, call: &Call) {
        if self.calls == self.before {
            fs::rename(&self.other, &self.path).expect("both are there");
        }
        if call.number == libc::SYS_renameat {
            // It is followed by a look at the new file.
            self.looks_at = self.calls.checked_sub(2);
        }
        self.calls += 1;
    }

    fn begins(&mut self, _: Pid) {}

    fn ends(&mut self, _: Pid) {}
}

#[test]
fn an_adoption_replaces_no_file_but_the_reserved_one() {
    let run = |before: usize| {
        let sandbox = Sandbox::new();
        let mut replaced = Replaced {
            path: sandbox.pidfile(),
            other: sandbox.file("other", "2147483647\n"),
            before,
            calls: 0,
            looks_at: None,
        };
        let other = Snapshot::of(&replaced.other);
        let run = tracer::run("adopt", &sandbox.pidfile(), None, &mut replaced)?;
        Some((run, replaced, other, sandbox))
    };
    let Some((_, rehearsal, ..)) = run(usize::MAX) else {
        needs(false, "permission to trace a process");
        return;
    };
    let looks_at = rehearsal.looks_at.expect("the file is renamed");
    assert!(looks_at > 3);
    for before in 0..=looks_at {
        let (run, _, other, sandbox) = run(before).expect("the rehearsal was traced");
        assert!(run.output.starts_with("error Lost"), "{before}: {run:?}");
        let left = Snapshot::of(sandbox.pidfile());
        assert_eq!((left.inode, left.bytes), (other.inode, other.bytes));
        sandbox.assert_names(["it.pid"]);
    }
}
