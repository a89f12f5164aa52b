//! Programs that a test starts and talks to.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Refusal;
use super::sandbox::progress;
use super::system::{deadline, descriptors, eventually};

/// A running program. It is killed and reaped with the test; children that it forked see the end of
/// their input.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stderr: File,
}

impl Program {
    #[track_caller]
    pub(super) fn start(mut command: Command) -> Program {
        progress();
        let stderr = tempfile::tempfile().expect("a file for what it complains about");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(stderr.try_clone().expect("dup"));
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        // A thread, because reading from a pipe cannot be given a deadline. It ends with the last
        // process that has the pipe.
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Program {
            stdin: child.stdin.take(),
            child,
            lines,
            stderr,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line it prints, or nothing once it has closed its output.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(deadline()) {
            Ok(line) => {
                progress();
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says nothing; {}", self.complaints()),
        }
    }

    /// That it has printed nothing that the test has not read.
    #[track_caller]
    pub(crate) fn expect_silence(&self) {
        assert_eq!(self.lines.try_recv(), Err(TryRecvError::Empty));
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_none()
    }

    /// The next line, which must begin so; returns the rest.
    #[track_caller]
    pub(crate) fn expect(&mut self, start: &str) -> String {
        let line = self.line();
        let rest = line.as_deref().and_then(|line| line.strip_prefix(start));
        rest.unwrap_or_else(|| panic!("{start:?} expected, not {line:?}; {}", self.complaints()))
            .into()
    }

    /// That it holds this path under its own number.
    #[track_caller]
    pub(crate) fn expect_held(&mut self, path: &Path) {
        let line = self.expect("held ");
        assert_eq!(line, format!("{} {}", self.pid(), path.display()));
    }

    /// The refusal that must be the next line.
    #[track_caller]
    pub(crate) fn refusal(&mut self) -> Refusal {
        let line = self.expect("refused\t");
        let mut words = line.splitn(5, '\t').map(String::from);
        let mut word = || words.next().expect("five words");
        Refusal {
            variant: word(),
            pid: word().parse().ok(),
            exit_code: word().parse().expect("a status"),
            path: word().into(),
            message: word(),
        }
    }

    /// Lets it go on from its `wait`.
    #[track_caller]
    pub(crate) fn tell(&mut self) {
        let stdin = self.stdin.as_mut().expect("its input is open");
        stdin.write_all(b"\n").expect("it reads its input");
    }

    /// Closes its input, which ends every `wait` of it and of its children.
    pub(crate) fn let_go(&mut self) {
        drop(self.stdin.take());
    }

    #[track_caller]
    pub(crate) fn signal(&self, signal: Signal) {
        kill(pid(self.child.id()), signal).expect("it is there");
    }

    /// Waits until it has ended, and reaps it.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("its end", || {
            status = self.child.try_wait().expect("it is our child");
            status.is_some()
        });
        progress();
        status.expect("it has ended")
    }

    /// That it ends by this signal, as its parent sees it.
    #[track_caller]
    pub(crate) fn expect_death_by(&mut self, signal: Signal) {
        let status = self.wait();
        assert_eq!(
            status.signal(),
            Some(signal as i32),
            "{status}; {}",
            self.complaints()
        );
    }

    /// That it exits with this status.
    #[track_caller]
    pub(crate) fn expect_exit(&mut self, code: i32) {
        let status = self.wait();
        assert_eq!(status.code(), Some(code), "{status}; {}", self.complaints());
    }

    /// Lets it end: by the signal, or else by its next steps, which lead to status 0. Never by a
    /// panic or an abort.
    #[track_caller]
    pub(crate) fn end(&mut self, signal: Option<Signal>) {
        if let Some(signal) = signal {
            self.signal(signal);
            self.expect_death_by(signal);
        } else {
            self.tell();
            self.expect_exit(0);
        }
    }

    /// What its descriptors are open on.
    #[track_caller]
    pub(crate) fn descriptors(&self) -> Vec<(u32, PathBuf)> {
        descriptors(self.pid())
    }

    /// Whether it has that file open. A process that is ending has not.
    pub(crate) fn has_open(&self, path: &Path) -> bool {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).is_ok_and(|descriptors| {
            descriptors
                .flatten()
                .any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == path))
        })
    }

    /// Its standard error so far, for the message of a failing test.
    fn complaints(&self) -> String {
        let mut bytes = vec![0; 1 << 14];
        // Not `read`: the program writes where this descriptor stands.
        let length = self.stderr.read_at(&mut bytes, 0).unwrap_or_default();
        format!(
            "its standard error: {}",
            String::from_utf8_lossy(&bytes[..length])
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if it was reaped, and then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn pid(number: u32) -> Pid {
    Pid::from_raw(number.try_into().expect("a process id"))
}
