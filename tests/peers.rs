//! Other programs that read, lock or write pidfiles, both ways round: what they do about a file that
//! we hold, have released, or left behind when we were killed; and what we do about theirs. The
//! chapter `neighbours` of the documentation is the table of what these tests show.

mod daemonize;
mod fcntl;
mod flock;
mod fuser;
mod libbsd;
mod libslack;
mod lslocks;
mod monit;
mod procps;
mod python_daemon;
mod python_pid;
mod start_stop_daemon;

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal::{self, SIGKILL};
use nix::sys::signal::kill;
use nix::unistd::Pid;
use pidfile::Status;

use crate::support::{Program, Sandbox, Script, Snapshot, WORKSPACE, eventually, holder, needs};

/// What a program said on its standard output, and its exit status.
#[track_caller]
fn answer(script: Script) -> (Option<i32>, String) {
    let (status, lines) = script.run();
    (status.code(), lines.join("\n"))
}

/// A file that names a process of ours which was killed while it held it.
#[track_caller]
fn left_behind(sandbox: &Sandbox) -> u32 {
    let mut killed = sandbox.hold();
    killed.signal(SIGKILL);
    killed.expect_death_by(SIGKILL);
    killed.pid()
}

/// That a start of ours is refused because this process, or one that is not known, holds the file,
/// that `status` agrees, and that neither changes the file.
#[track_caller]
fn assert_held_by(path: &Path, pid: Option<u32>) {
    let before = Snapshot::of(path);
    let refusal = holder(path).steps("acquire").refusal();
    refusal.expect("Locked", 75).expect_pid(pid);
    assert_eq!(pidfile::status(path).unwrap(), Status::Held { pid });
    assert_eq!(Snapshot::of(path), before);
}

/// That the file is stale for us, and that a start takes it over and removes it at its end.
#[track_caller]
fn assert_stale(sandbox: &Sandbox, pid: Option<u32>) {
    let status = pidfile::status(sandbox.pidfile()).unwrap();
    assert_eq!(status, Status::Stale { pid });
    sandbox.assert_next_start_works();
}

/// The process that the file names.
#[track_caller]
fn recorded(path: &Path) -> Option<u32> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// What the newest guard of a program that waits says about its file.
#[track_caller]
fn verified(program: &mut Program) -> String {
    program.tell();
    program.expect("verify ")
}

/// A process of ours that reports what `verify` says for each line that it reads.
#[track_caller]
fn hold_and_verify(sandbox: &Sandbox) -> Program {
    let steps = "acquire wait verify wait verify wait";
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect_held(&sandbox.pidfile());
    program
}

/// A process that another program has put into the background. It is killed with its test.
struct Background {
    pid: u32,
    /// When it was started, so that no other process with the number is taken for it.
    started: Option<String>,
}

impl Background {
    /// The one that the file names, once it does so.
    #[track_caller]
    fn named_by(path: &Path) -> Background {
        Background::named_otherwise(path, 0)
    }

    /// The one that the file names, once it is not that one any more.
    #[track_caller]
    fn named_otherwise(path: &Path, before: u32) -> Background {
        let mut pid = None;
        eventually("a record", || {
            pid = recorded(path).filter(|pid| *pid != before);
            pid.is_some()
        });
        Background::new(pid.expect("it was just there"))
    }

    fn new(pid: u32) -> Background {
        Background {
            pid,
            started: started(pid),
        }
    }

    fn pid(&self) -> u32 {
        self.pid
    }

    fn is_alive(&self) -> bool {
        self.started.is_some() && started(self.pid) == self.started
    }

    /// Ends it, and waits until it has lost its locks.
    #[track_caller]
    fn end(&self, signal: Signal) {
        kill(self.as_pid(), signal).expect("it is there");
        eventually("its end", || !self.is_alive());
    }

    fn as_pid(&self) -> Pid {
        Pid::from_raw(self.pid.cast_signed())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.is_alive() {
            // Fails if it has just ended.
            let _ = kill(self.as_pid(), SIGKILL);
        }
    }
}

/// When the process was started, in the kernel's units; `None` for one that has ended.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may contain anything.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let is_zombie = fields.next()? == "Z";
    fields.nth(18).filter(|_| !is_zombie).map(String::from)
}

/// Python with the packages that `.ci/run` installs below `target`; `None` without them.
fn python(packages: &str, source: &str) -> Option<Script> {
    let dir = std::env::var_os("PIDFILE_PYTHON").map_or_else(
        || Path::new(WORKSPACE).join("target/python"),
        std::path::PathBuf::from,
    );
    let dir = dir.join(packages);
    let what = format!("{packages} for Python in {}", dir.display());
    if !needs(dir.is_dir(), &what) || !crate::support::has_program("python3") {
        return None;
    }
    let script = Script::of("python3").env("PYTHONPATH", dir);
    // Another user may not write next to the packages.
    let script = script.env("PYTHONDONTWRITEBYTECODE", "1");
    Some(script.argument("-c").argument(source))
}
