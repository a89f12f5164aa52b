//! One machine of the cluster: a process with a runtime directory of its own.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Instant;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::server::Server;
use crate::system::{DEADLINE, Process, command, eventually};

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) process: Process,
    pub(crate) pidfile: PathBuf,
    lines: Receiver<String>,
    stderr: PathBuf,
}

impl Member {
    pub(crate) fn start(server: &Server, name: &str) -> Member {
        Member::start_at(server, name, &server.url(name), None)
    }

    /// With a log that is full and not read.
    pub(crate) fn start_unread(server: &Server, name: &str) -> Member {
        let url = server.url(name);
        Member::launch(server, name, &url, None, unread())
    }

    /// The same with another way to the server, in the network of that process.
    pub(crate) fn start_at(server: &Server, name: &str, url: &str, network: Option<Pid>) -> Member {
        let stderr = File::create(server.dir().join(format!("{name}.stderr")));
        Member::launch(server, name, url, network, stderr.expect("a file").into())
    }

    fn launch(
        server: &Server,
        name: &str,
        url: &str,
        network: Option<Pid>,
        stderr: Stdio,
    ) -> Member {
        let dir = server.dir().join(name);
        fs::create_dir_all(&dir).expect("mkdir");
        fs::set_permissions(&dir, Permissions::from_mode(0o700)).expect("chmod");
        let mut program = command(env!("CARGO_BIN_EXE_one_in_the_cluster"), network, false);
        program.arg(url).env("RUNTIME_DIRECTORY", &dir);
        program.stdout(Stdio::piped()).stderr(stderr);
        let mut process = Process::start(program);
        let stdout = BufReader::new(process.stdout());
        let (sender, lines) = channel();
        // A thread, because reading from a pipe cannot be given a deadline.
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Member {
            name: name.into(),
            process,
            pidfile: dir.join("one_in_the_cluster.pid"),
            lines,
            stderr: server.dir().join(format!("{name}.stderr")),
        }
    }

    /// Waits until it says that it leads; returns the epoch.
    #[track_caller]
    pub(crate) fn leads(&self) -> i64 {
        let line = self.lines.recv_timeout(DEADLINE);
        let line = line.unwrap_or_else(|_| panic!("it does not lead: {}", self.complaints()));
        let start = format!("process {} leads in epoch ", self.process.pid());
        let epoch = line
            .strip_prefix(&start)
            .and_then(|epoch| epoch.parse().ok());
        epoch.unwrap_or_else(|| panic!("{line}; {}", self.complaints()))
    }

    /// Waits until the server has refused it the lock a few times: it runs, and does not lead.
    #[track_caller]
    pub(crate) fn waits(&self, server: &Server) {
        server.mark();
        eventually("it asks for the lock", || {
            server.asked_for_the_lock(&self.name) > 3
        });
        assert!(self.lines.try_recv().is_err(), "it must not lead");
    }

    /// Waits until it has noticed that the lead is lost, and ended of its own accord.
    #[track_caller]
    pub(crate) fn ends_lost(&mut self) -> Instant {
        let status = self.process.wait();
        let noticed = Instant::now();
        assert_eq!(status.code(), Some(1), "{status}; {}", self.complaints());
        let said = self.complaints();
        assert!(said.contains("lost: "), "{said}");
        assert!(!self.pidfile.exists(), "the pidfile is still there");
        noticed
    }

    /// What it has counted: writes that were refused.
    pub(crate) fn refused(&self) -> u32 {
        let said = self.complaints();
        let count = said.trim_end().strip_suffix(" refused").and_then(|said| {
            let count = said.rsplit(' ').next()?;
            count.parse().ok()
        });
        count.unwrap_or_else(|| panic!("no count: {said}"))
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    #[track_caller]
    pub(crate) fn ends(&mut self) -> ExitStatus {
        self.process.wait()
    }

    pub(crate) fn last_line(&self) -> Option<String> {
        self.lines.iter().last()
    }

    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }
}

/// A pipe that takes not one more byte, and that nothing reads.
fn unread() -> Stdio {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    let (mut full, other) = UnixStream::pair().expect("a pair of sockets");
    full.set_nonblocking(true).expect("it is a socket");
    while full.write(&[b'.'; 512]).is_ok() {}
    full.set_nonblocking(false).expect("it is a socket");
    // Open until this process ends: a closed end would be an error and not a wait.
    std::mem::forget(other);
    Stdio::from(std::os::fd::OwnedFd::from(full))
}
