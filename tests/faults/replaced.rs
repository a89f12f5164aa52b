//! A pidfile whose name another process gives to a file of its own, right before one of the calls.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::scene::DEAD;
use crate::support::tracer::{self, Call, Surroundings};
use crate::support::{Sandbox, Snapshot, needs};

/// The file of the other process, which takes the name before one of the calls.
struct Replaced {
    path: PathBuf,
    other: PathBuf,
    before: usize,
    calls: usize,
    /// The first call of this kind gives the name to our file or takes it from the old one.
    changes: libc::c_long,
    changed_at: Option<usize>,
}

impl Surroundings for Replaced {
    fn before(&mut self, call: &Call) {
        if self.calls == self.before {
            fs::rename(&self.other, &self.path).expect("both are there");
        }
        if call.number == self.changes {
            self.changed_at.get_or_insert(self.calls);
        }
        self.calls += 1;
    }
}

/// That the operation reports this error and leaves the other file alone, if that takes the name by the
/// call that looks for the last time. So many calls later the name is changed.
#[track_caller]
fn assert_left_alone(operation: &str, changes: libc::c_long, later: usize, error: &str) {
    let run = |before: usize| {
        let sandbox = Sandbox::new();
        let path = sandbox.path("it.pid");
        if operation == "acquire" {
            fs::write(&path, DEAD).unwrap();
        }
        let mut replaced = Replaced {
            path: path.clone(),
            other: sandbox.file("other", "my notes\n"),
            before,
            calls: 0,
            changes,
            changed_at: None,
        };
        let other = Snapshot::of(&replaced.other);
        let run = tracer::run(operation, &path, None, &mut replaced)?;
        Some((run, replaced.changed_at, other, sandbox))
    };
    let Some((_, changed_at, ..)) = run(usize::MAX) else {
        needs(false, "permission to trace a process");
        return;
    };
    let looks_at = changed_at.expect("the name is changed") - later;
    assert!(looks_at > 3);
    for before in 0..=looks_at {
        let (run, _, other, sandbox) = run(before).expect("the rehearsal was traced");
        let expected = format!("error {error} ");
        let output = run.output;
        assert!(output.starts_with(&expected), "{before}: {output}");
        let left = Snapshot::of(sandbox.pidfile());
        assert_eq!((left.inode, left.bytes), (other.inode, other.bytes));
        sandbox.assert_names(["it.pid"]);
    }
}

#[test]
fn an_adoption_replaces_no_file_but_the_reserved_one() {
    // In between it looks at the new file.
    assert_left_alone("adopt", libc::SYS_renameat, 2, "Lost");
}

#[test]
fn a_take_over_removes_no_file_but_the_stale_one() {
    assert_left_alone("acquire", libc::SYS_unlinkat, 1, "NotPidfile");
}

#[test]
fn a_name_that_becomes_a_fifo_or_a_link_is_not_followed() {
    let link = |path: &Path| symlink("elsewhere", path).unwrap();
    let fifo = |path: &Path| mkfifo(path, Mode::S_IRWXU).unwrap();
    let makes: [&dyn Fn(&Path); 2] = [&link, &fifo];
    for operation in ["acquire", "status"] {
        for (make, before) in makes
            .iter()
            .flat_map(|make| (0..25).map(move |n| (make, n)))
        {
            let sandbox = Sandbox::new();
            let path = sandbox.file("it.pid", DEAD);
            let elsewhere = sandbox.file("elsewhere", DEAD);
            let mut replaced = Replaced {
                path: path.clone(),
                other: sandbox.path("other"),
                before,
                calls: 0,
                changes: libc::SYS_unlinkat,
                changed_at: None,
            };
            make(&replaced.other);
            let was = Snapshot::of(&elsewhere);
            let Some(run) = tracer::run(operation, &path, None, &mut replaced) else {
                needs(false, "permission to trace a process");
                return;
            };
            // Or it has done its work before.
            let expected = ["error NotPidfile", "ok "];
            let is_expected = expected.iter().any(|word| run.output.starts_with(word));
            assert!(is_expected, "{operation} {before}: {}", run.output);
            assert_eq!(Snapshot::of(&elsewhere), was, "{operation} {before}");
        }
    }
}
