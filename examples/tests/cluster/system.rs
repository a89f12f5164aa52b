//! Waiting, skipping, and starting programs that die with their test.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, io, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A test that has waited this long for anything has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// How often a failure is repeated.
pub(crate) fn rounds() -> u32 {
    let rounds = env::var("CLUSTER_ROUNDS").map(|rounds| rounds.parse());
    rounds.unwrap_or(Ok(2)).expect("CLUSTER_ROUNDS is a number")
}

/// Waits until the condition holds; the only place that polls.
#[track_caller]
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Says why a test is skipped, and that it is.
pub(crate) fn skip<T>(reason: &str) -> Option<T> {
    let thread = thread::current();
    let test = thread.name().unwrap_or_default();
    // Not `eprintln`, whose output a test that passes keeps to itself.
    writeln!(io::stderr(), "skipped: {reason}: {test}").expect("standard error is open");
    None
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Where this program is: in `PATH`, or where Debian keeps what only root should start.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|dir| dir.join(program))
        .find(|path| path.is_file())
}

/// The time of day, in seconds, as the server's log has it.
pub(crate) fn time_of_day() -> f64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.expect("after 1970").as_secs_f64()
}

/// A user that a server agrees to run as: this one, or `nobody` in place of root.
pub(crate) fn ordinary_user() -> Option<nix::unistd::User> {
    let nobody = || nix::unistd::User::from_name("nobody").ok().flatten();
    is_root().then(|| nobody().expect("there is a user `nobody`"))
}

/// A command that is killed with this thread, in the network of that process.
pub(crate) fn command(program: impl AsRef<OsStr>, network: Option<Pid>, ordinary: bool) -> Command {
    let mut words = Vec::new();
    if let Some(pid) = network {
        words.extend(["nsenter".into(), format!("--net=/proc/{pid}/ns/net")]);
    }
    words.extend(["setpriv", "--pdeathsig", "KILL"].map(String::from));
    if let Some(user) = ordinary.then(ordinary_user).flatten() {
        words.extend([
            format!("--reuid={}", user.uid),
            format!("--regid={}", user.gid),
        ]);
        words.push("--clear-groups".into());
    }
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg("--").arg(program);
    command.stdin(Stdio::null());
    command
}

/// Runs a command that must succeed.
#[track_caller]
pub(crate) fn run(mut command: Command) {
    let output = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// A child that is killed and reaped with its test.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    #[track_caller]
    pub(crate) fn start(mut command: Command) -> Process {
        let child = command.spawn();
        Process(child.unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().try_into().expect("a process id"))
    }

    pub(crate) fn stdout(&mut self) -> ChildStdout {
        self.0.stdout.take().expect("piped, and not taken before")
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        kill(self.pid(), signal).expect("it is there");
    }

    pub(crate) fn status(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().expect("it is our child")
    }

    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        eventually("its end", || self.status().is_some());
        self.status().expect("it has ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended and was reaped, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The processes whose parent is this one.
pub(crate) fn children(parent: Pid) -> Vec<Pid> {
    let listed = fs::read_dir("/proc").expect("/proc").flatten();
    let numbers = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|pid| is_child(Path::new(&format!("/proc/{pid}/stat")), parent))
        .map(Pid::from_raw)
        .collect()
}

fn is_child(stat: &Path, parent: Pid) -> bool {
    // It may have ended since it was listed.
    let stat = fs::read_to_string(stat).unwrap_or_default();
    let rest = stat.rsplit(") ").next().unwrap_or_default();
    rest.split(' ').nth(1) == Some(&parent.to_string())
}
