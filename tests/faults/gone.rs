//! A file that another process removes while it is open. Some FUSE file systems, and NFS, cannot reach
//! it any more then, and every call about it fails.

use std::fs::{self, File};
use std::path::PathBuf;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::unistd::Pid;

use super::scene::{DEAD, Form};
use crate::support::tracer::{self, Call, Surroundings};
use crate::support::{Sandbox, needs};

/// More calls than a start makes about a file that it does not get. To a holder it listens for a
/// moment, with the same calls over and over.
const MOST: usize = 12;

/// A file that goes right before one of the calls about it.
struct Gone {
    path: PathBuf,
    pid: Option<Pid>,
    /// How many of those calls come before.
    left: usize,
    errno: Errno,
    /// Whether it has gone.
    is_done: bool,
    is_refused: bool,
}

impl Gone {
    fn is_about_the_file(&self, call: &Call) -> bool {
        let pid = self.pid.expect("it has begun");
        let link = format!("/proc/{pid}/fd/{}", call.arguments[0]);
        let calls = [
            libc::SYS_newfstatat,
            libc::SYS_fstat,
            libc::SYS_fcntl,
            libc::SYS_flock,
            libc::SYS_pread64,
        ];
        let gone = format!("{} (deleted)", self.path.display());
        calls.contains(&call.number)
            && fs::read_link(link).is_ok_and(|path| path == self.path || path == gone)
    }
}

impl Surroundings for Gone {
    fn refuses(&self, _: &Call) -> Option<Errno> {
        self.is_refused.then_some(self.errno)
    }

    fn before(&mut self, call: &Call) {
        self.is_refused = false;
        if !self.is_about_the_file(call) {
            return;
        }
        if self.left > 0 {
            self.left -= 1;
            return;
        }
        if !self.is_done {
            fs::remove_file(&self.path).expect("it was there");
            self.is_done = true;
        }
        self.is_refused = true;
    }

    fn begins(&mut self, pid: Pid) {
        self.pid = Some(pid);
    }

    fn ends(&mut self, _: Pid) {
        self.is_refused = false;
    }
}

/// That the operation answers so, whenever the file goes.
#[track_caller]
fn assert_answer(operation: &str, is_right: impl Fn(&str) -> bool) {
    for is_held in [false, true] {
        for (before, errno) in (0..MOST).flat_map(|n| [(n, Errno::ENOENT), (n, Errno::ESTALE)]) {
            let sandbox = Sandbox::new();
            let path = sandbox.file("it.pid", DEAD);
            let lock = || Flock::lock(File::open(&path).unwrap(), FlockArg::LockExclusive).unwrap();
            let _held = is_held.then(lock);
            let mut gone = Gone {
                path: path.clone(),
                pid: None,
                left: before,
                errno,
                is_done: false,
                is_refused: false,
            };
            let Some(run) = tracer::run(operation, &path, None, &mut gone) else {
                needs(false, "permission to trace a process");
                return;
            };
            let output = run.output;
            if !gone.is_done {
                // It has come to its end before.
                assert!(!is_held && before > 3, "{before}: {output}");
                break;
            }
            assert!(is_right(&output), "{before}, {errno}: {output}");
            sandbox.assert_names([]);
        }
    }
}

/// A file under its own name that a tidier removes right before one of the calls.
struct Tidied {
    path: PathBuf,
    before: usize,
    calls: usize,
}

impl Surroundings for Tidied {
    fn refuses(&self, call: &Call) -> Option<Errno> {
        Form::OwnName.refuses(call)
    }

    fn before(&mut self, _: &Call) {
        if self.calls == self.before {
            // Ignored: it need not be there yet.
            let _ = fs::remove_file(&self.path);
        }
        self.calls += 1;
    }
}

#[test]
fn a_start_succeeds_whenever_its_new_file_is_removed() {
    for before in 0.. {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let mut tidied = Tidied {
            path: path.clone(),
            before,
            calls: 0,
        };
        let Some(run) = tracer::run("acquire", &path, None, &mut tidied) else {
            needs(false, "permission to trace a process");
            return;
        };
        assert!(run.output.starts_with("ok "), "{before}: {}", run.output);
        sandbox.assert_names([]);
        if before > run.calls.len() {
            break;
        }
    }
}

#[test]
fn a_start_takes_the_place_of_a_file_that_goes_while_it_is_open() {
    assert_answer("acquire", |output| output.starts_with("ok "));
}

#[test]
fn a_status_of_a_file_that_goes_while_it_is_open_is_no_error() {
    assert_answer("status", |output| output.starts_with("ok "));
}
