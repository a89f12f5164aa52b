//! A probe reports the state and changes nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::fcntl::FlockArg;
use nix::sys::signal::Signal;
use pidfile::{Options, PidFile, Status};

use crate::support::{Sandbox, Script, Snapshot, holder, is_locked, lock, needs, storm};

#[track_caller]
fn status(path: &Path) -> Status {
    let before = path.symlink_metadata().ok().map(|_| Snapshot::of(path));
    let status = Options::new().path(path).status().unwrap();
    assert_eq!(
        pidfile::status(path).unwrap(),
        status,
        "the short way says the same"
    );
    let after = path.symlink_metadata().ok().map(|_| Snapshot::of(path));
    assert_eq!(after, before, "a probe changes nothing");
    status
}

#[test]
fn absent_before_and_after_a_holder() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    assert_eq!(status(&path), Status::Absent);
    sandbox.assert_names([]);
    PidFile::acquire(&path).unwrap().release().unwrap();
    assert_eq!(status(&path), Status::Absent);
}

#[test]
fn each_state_has_a_code_for_scripts_a_process_and_a_description() {
    let own = std::process::id();
    for (status, code, pid, runs, text) in [
        (Status::Absent, 3, None, false, "does not exist"),
        (
            Status::Stale { pid: Some(7) },
            1,
            Some(7),
            false,
            "stale, left by process 7",
        ),
        (
            Status::Stale { pid: None },
            3,
            None,
            false,
            "stale and empty",
        ),
        (
            Status::Held { pid: Some(7) },
            0,
            Some(7),
            true,
            "held by process 7",
        ),
        (
            Status::Held { pid: None },
            0,
            None,
            true,
            "held by an unknown process",
        ),
        (Status::Own, 0, Some(own), true, "held by this process"),
        (Status::NotPidfile, 4, None, false, "not a pidfile"),
    ] {
        assert_eq!(
            (
                status.exit_code(),
                status.pid(),
                status.is_running(),
                &*status.to_string()
            ),
            (code, pid, runs, text),
        );
    }
}

#[test]
fn stale_with_the_pid_that_the_file_names() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "1\n");
    assert_eq!(
        status(&path),
        Status::Stale { pid: Some(1) },
        "though that process lives"
    );
    let path = sandbox.file("it.pid", "2147483647\n");
    assert_eq!(
        status(&path),
        Status::Stale {
            pid: Some(2_147_483_647)
        }
    );
    let own = std::process::id();
    let path = sandbox.file("it.pid", format!("{own}\n"));
    assert_eq!(
        status(&path),
        Status::Stale { pid: Some(own) },
        "named, but not held"
    );
}

#[test]
fn stale_without_a_pid_if_the_file_is_empty() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "");
    assert_eq!(status(&path), Status::Stale { pid: None });
}

#[test]
fn held_with_the_holders_pid_then_stale_once_it_was_killed() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut program = sandbox.hold();
    assert_eq!(
        status(&path),
        Status::Held {
            pid: Some(program.pid())
        }
    );
    assert!(is_locked(&path), "a probe leaves the lock alone");
    program.signal(Signal::SIGKILL);
    program.expect_death_by(Signal::SIGKILL);
    assert_eq!(
        status(&path),
        Status::Stale {
            pid: Some(program.pid())
        }
    );
}

#[test]
fn held_without_a_pid_if_the_file_is_empty() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "");
    let _lock = lock(&path, FlockArg::LockExclusive);
    assert_eq!(status(&path), Status::Held { pid: None });
}

#[test]
fn a_shared_lock_holds_nothing() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    let _lock = lock(&path, FlockArg::LockShared);
    assert_eq!(
        status(&path),
        Status::Stale {
            pid: Some(2_147_483_647)
        }
    );
}

#[test]
fn own_in_the_process_that_holds() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let guard = PidFile::acquire(&path).unwrap();
    assert_eq!(status(&path), Status::Own);
    assert!(is_locked(&path));
    let mut other = holder(&path).steps("status").start();
    assert_eq!(
        other.expect("status "),
        format!("Held {{ pid: Some({}) }}", guard.pid())
    );
    drop(guard);
    assert_eq!(status(&path), Status::Absent);
}

#[test]
fn not_a_pidfile_whatever_else_has_the_name() {
    let sandbox = Sandbox::new();
    assert_eq!(status(&sandbox.file("text", "hello\n")), Status::NotPidfile);
    assert_eq!(status(&sandbox.folder("folder", 0o755)), Status::NotPidfile);
    symlink("text", sandbox.path("link")).unwrap();
    assert_eq!(status(&sandbox.path("link")), Status::NotPidfile);
    symlink("nowhere", sandbox.path("dangling")).unwrap();
    assert_eq!(status(&sandbox.path("dangling")), Status::NotPidfile);
    sandbox.assert_names(["dangling", "folder", "link", "text"]);
}

#[test]
fn a_bad_option_is_reported_by_a_probe_as_by_a_start() {
    let sandbox = Sandbox::new();
    let options = Options::new().path(sandbox.pidfile()).name("it");
    let error = options.status().unwrap_err();
    assert!(matches!(error, pidfile::Error::Config { .. }), "{error:?}");
}

#[test]
fn without_the_lock_a_living_process_holds_and_a_dead_one_does_not() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "1\n");
    let options = Options::new().path(&path).lock(false);
    assert_eq!(options.status().unwrap(), Status::Held { pid: Some(1) });
    let path = sandbox.file("it.pid", "2147483647\n");
    assert_eq!(
        options.status().unwrap(),
        Status::Stale {
            pid: Some(2_147_483_647)
        }
    );
    drop(path);
    let guard = options.acquire().unwrap();
    assert_eq!(options.status().unwrap(), Status::Own);
    drop(guard);
    sandbox.assert_names([]);
}

#[test]
fn a_probe_needs_no_more_than_to_read() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o755);
    let path = folder.join("it.pid");
    let guard = PidFile::acquire(&path).unwrap();
    crate::support::set_mode(&folder, 0o555);
    let mut probe = holder(&path).steps("status").unprivileged(&sandbox).start();
    assert_eq!(
        probe.expect("status "),
        format!("Held {{ pid: Some({}) }}", guard.pid())
    );
    crate::support::set_mode(&folder, 0o755);
    drop(guard);
}

/// How long the probes go on.
fn probing() -> Duration {
    Duration::from_millis(storm(500, 2_000))
}

/// That no start on a stale file with these bytes is refused while probes ask about it.
#[track_caller]
fn assert_never_refused(record: &str) {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", record);
    let mut probes: Vec<_> = (0..2)
        .map(|_| holder(&path).steps("probe").start())
        .collect();
    for probe in &mut probes {
        probe.expect("probing");
    }
    let pgrep = Command::new("pgrep").arg("--version").output();
    needs(
        pgrep.is_ok_and(|output| output.status.success()),
        "pgrep, which asks by locking",
    );
    // It locks the file to see whether it is locked.
    let pgrep =
        "echo probing; while :; do pgrep --logpidfile --pidfile \"$0\"; done >/dev/null 2>&1";
    let mut other = Script::of("sh")
        .argument("-c")
        .argument(pgrep)
        .argument(&path)
        .start();
    other.expect("probing");

    let end = Instant::now() + probing();
    let mut starts = 0;
    while Instant::now() < end {
        // Renamed into place, so that it is whole at every moment.
        fs::rename(sandbox.file("next", record), &path).unwrap();
        let guard = PidFile::acquire(&path).unwrap_or_else(|error| {
            panic!("after {starts} starts on {record:?}: {error:?}");
        });
        guard.release().unwrap();
        starts += 1;
    }
    for probe in &mut probes {
        assert!(probe.is_running(), "a probe never fails");
    }
    assert!(other.is_running());
}

#[test]
fn hammered_by_three_probes_no_starter_is_refused_if_the_file_names_a_dead_process() {
    assert_never_refused("2147483647\n");
}

#[test]
fn hammered_by_three_probes_no_starter_is_refused_if_the_file_names_a_living_process() {
    assert_never_refused("1\n");
}

#[test]
fn hammered_by_three_probes_no_starter_is_refused_if_the_file_is_empty() {
    assert_never_refused("");
}

/// For how long a file is acquired and released while it is asked about.
fn clean_rounds() -> Duration {
    Duration::from_secs(storm(2, 15))
}

#[test]
fn status_never_says_stale_of_a_file_that_is_only_acquired_and_released() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    // Two processes, one of them with two threads, so that releases meet acquires.
    let mut busy = ["churn", "rivals=2 say=ready park"].map(|steps| {
        let mut program = holder(&path).steps(steps).start();
        program.expect("ready");
        program
    });
    let ask = || {
        let options = Options::new().path(&path);
        let end = Instant::now() + clean_rounds();
        let mut asked = 0_u32;
        while Instant::now() < end {
            let status = options.status().unwrap();
            assert!(
                matches!(status, Status::Absent | Status::Held { .. }),
                "{status:?} after {asked} answers"
            );
            asked += 1;
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(ask);
        ask();
    });
    for program in &mut busy {
        assert!(program.is_running());
        program.signal(Signal::SIGTERM);
        program.expect_death_by(Signal::SIGTERM);
    }
    sandbox.assert_names([]);
}

#[test]
fn a_status_below_a_file_is_an_error_and_not_absent() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("file", "").join("it.pid");
    let status = pidfile::status(path);
    assert!(
        matches!(status, Err(pidfile::Error::Io { .. })),
        "{status:?}"
    );
}
