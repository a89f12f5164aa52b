//! What the tools do that operators use today: the table in `pidfile/docs/stopping.md`. Each of them
//! gets a file that names a process which does not hold it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::fcntl::FlockArg;

use crate::support::{Sandbox, is_root, lock, needs};

/// A process that only the file says anything about.
struct Named(Child);

impl Named {
    fn new() -> Named {
        Named(Command::new("sleep").arg("600").spawn().expect("sleep"))
    }

    fn record(&self) -> String {
        format!("{}\n", self.0.id())
    }

    /// Whether it is alive after the tool has been used on the file; `None` without the tool.
    fn survives(mut self, tool: &[&str], path: &Path) -> Option<bool> {
        let status = Command::new(tool[0])
            .args(&tool[1..])
            .arg(path)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let there = needs(status.is_ok(), tool[0]);
        // The signal was sent before the tool ended, and a process that was killed can be reaped.
        let pid = nix::unistd::Pid::from_raw(self.0.id().try_into().expect("a number"));
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        let ended = self.0.wait().expect("it is our child");
        let by = std::os::unix::process::ExitStatusExt::signal(&ended);
        there.then_some(by == Some(nix::libc::SIGKILL))
    }
}

#[track_caller]
fn assert_survives(answer: Option<bool>, expected: bool) {
    if let Some(survived) = answer {
        assert_eq!(survived, expected);
    }
}

#[test]
fn start_stop_daemon_stops_whichever_process_the_file_names() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    let tool = ["start-stop-daemon", "--stop", "--quiet", "--pidfile"];
    assert_survives(named.survives(&tool, &path), false);
    assert!(pidfile::holder(&path).unwrap().is_none());

    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    let _held = lock(&path, FlockArg::LockExclusive);
    assert_survives(named.survives(&tool, &path), false);
    assert!(pidfile::holder(&path).is_err());
}

#[test]
fn pkill_stops_whichever_process_the_file_names() {
    let sandbox = Sandbox::new();
    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    assert_survives(named.survives(&["pkill", "--pidfile"], &path), false);

    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    let _held = lock(&path, FlockArg::LockExclusive);
    assert_survives(named.survives(&["pkill", "--pidfile"], &path), false);
    assert!(pidfile::holder(&path).is_err());
}

#[test]
fn pkill_with_logpidfile_spares_a_free_file_and_not_one_that_another_process_holds() {
    let sandbox = Sandbox::new();
    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    let tool = ["pkill", "--logpidfile", "--pidfile"];
    assert_survives(named.survives(&tool, &path), true);

    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    let _held = lock(&path, FlockArg::LockExclusive);
    assert_survives(named.survives(&tool, &path), false);
    assert!(pidfile::holder(&path).is_err());
}

#[test]
fn this_crate_spares_it_in_both_cases() {
    let sandbox = Sandbox::new();
    let named = Named::new();
    let path = sandbox.file("it.pid", named.record());
    assert!(pidfile::holder(&path).unwrap().is_none());
    let held = lock(&path, FlockArg::LockExclusive);
    assert!(pidfile::holder(&path).is_err());
    drop(held);
    assert_survives(named.survives(&["true"], &path), true);
}
