//! Facts about processes and the machine, and how a test skips where the machine lacks something.

use std::collections::hash_map::RandomState;
use std::env::{VarError, var};
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{current, sleep};
use std::time::{Duration, Instant};

/// A test that has waited this long for anything has failed: a minute, or as many seconds as
/// `PIDFILE_DEADLINE` says.
#[track_caller]
pub(crate) fn deadline() -> Duration {
    match var("PIDFILE_DEADLINE").map(|seconds| seconds.parse()) {
        Err(VarError::NotPresent) => Duration::from_mins(1),
        Ok(Ok(seconds)) => Duration::from_secs(seconds),
        other => panic!("PIDFILE_DEADLINE may be a number of seconds, or not set: {other:?}"),
    }
}

/// Waits until the condition holds. Only for what cannot be waited for without polling.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let longest = deadline();
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < longest, "{what}: not within {longest:?}");
        sleep(Duration::from_millis(2));
    }
}

/// Lets a random moment pass, at most this long. It waits for nothing: what follows must be right at
/// any time.
pub(crate) fn a_moment(most: Duration) {
    let number = RandomState::new().build_hasher().finish();
    sleep(most * u32::try_from(number % 1024).unwrap_or_default() / 1024);
}

/// Whether the test may go on. If not, prints what is missing.
pub(crate) fn needs(there: bool, what: &str) -> bool {
    if !there {
        let test = current();
        eprintln!("skipped: needs {what}: {}", test.name().unwrap_or_default());
    }
    there
}

/// Whether this is root, who may change owners and become another user.
pub(crate) fn is_root() -> bool {
    needs(nix::unistd::geteuid().is_root(), "root")
}

/// Starts a program as process 1 of a pid namespace of its own. All but the first word are the flags
/// to give to [`can_unshare`].
pub(crate) const UNSHARE: [&str; 4] = ["unshare", "--pid", "--fork", "--mount-proc"];

/// Starts a program as on a kernel that cannot wipe memory at a fork: Linux before 4.14.
#[cfg(target_os = "linux")]
pub(crate) const WITHOUT_WIPING: &[&str] = &[env!("CARGO_BIN_EXE_holder"), "no-wiping", "exec"];
#[cfg(not(target_os = "linux"))]
pub(crate) const WITHOUT_WIPING: &[&str] = &["env"];

/// Whether this process may unshare namespaces, which root in a container may not.
pub(crate) fn can_unshare(flags: &[&str]) -> bool {
    let probe = Command::new("unshare")
        .args(flags)
        .arg("true")
        .stderr(Stdio::null())
        .status();
    is_root()
        && needs(
            probe.is_ok_and(|status| status.success()),
            &format!("`unshare {}`", flags.join(" ")),
        )
}

/// The number of a process that has just ended and is gone.
pub(crate) fn dead_process() -> u32 {
    let mut child = Command::new("true").spawn().expect("spawn");
    child.wait().expect("wait");
    child.id()
}

/// A process that has ended and was not waited for. Its number stays taken until this process waits
/// for it or ends.
pub(crate) fn zombie() -> Child {
    let child = Command::new("true").spawn().expect("spawn");
    let stat = format!("/proc/{}/stat", child.id());
    eventually("a zombie", || {
        fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") Z "))
    });
    child
}

/// What the descriptors of a process are open on, by number.
#[track_caller]
pub(crate) fn descriptors(pid: u32) -> Vec<(u32, PathBuf)> {
    let dir = fs::read_dir(format!("/proc/{pid}/fd")).expect("/proc");
    let mut open: Vec<_> = dir
        .filter_map(|entry| {
            let entry = entry.expect("an entry");
            // It may have been closed since it was listed.
            let target = fs::read_link(entry.path()).ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, target))
        })
        .collect();
    open.sort();
    open
}
