//! Runs the program `faulty` from system call to system call, and interferes with one of them.
//!
//! A tracer sees each call twice. On entry it may replace the call by one that does not exist, so that
//! the kernel does nothing, and on exit it may replace the result. What counts are the calls between
//! the program's two marks.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::errno::Errno;
use nix::libc::{self, user_regs_struct};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// A system call that is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) number: libc::c_long,
    pub(crate) arguments: [u64; 4],
    /// Whether it closes a file of `/proc`.
    pub(crate) closes_proc: bool,
}

/// How one call is interfered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The process is killed before the call.
    KilledBefore,
    /// The process is killed when the call has been carried out.
    KilledAfter,
    /// The call does nothing and fails.
    Fails(Errno),
    /// The call is carried out and reports a failure.
    Misreports(Errno),
}

/// Which call is interfered with, counted from the first mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) index: usize,
    pub(crate) fault: Fault,
}

/// What happens while the program runs, apart from the fault.
pub(crate) trait Surroundings {
    /// How the system refuses this call for as long as the program runs.
    fn refuses(&self, _call: &Call) -> Option<Errno> {
        None
    }
    /// A call of the operation is about to happen.
    fn before(&mut self, _call: &Call) {}
    /// The program stands at its first mark.
    fn begins(&mut self, _pid: Pid) {}
    /// The program stands at its second mark.
    fn ends(&mut self, _pid: Pid) {}
}

/// What the program has done.
#[derive(Debug)]
pub(crate) struct Run {
    /// The calls between the marks.
    pub(crate) calls: Vec<Call>,
    /// The call that was interfered with, if the program came so far.
    pub(crate) met: Option<Call>,
    /// How the process with the marks ended.
    pub(crate) status: WaitStatus,
    pub(crate) pid: Pid,
    /// All that was printed, errors included.
    pub(crate) output: String,
}

/// Which part of the program the process is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Preparation,
    Operation,
    Report,
}

/// What to do at the exit of the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtExit {
    Nothing,
    Kill,
    Report(Errno),
}

struct Tracer<'a> {
    surroundings: &'a mut dyn Surroundings,
    point: Option<Point>,
    pid: Pid,
    part: Part,
    at_exit: Option<AtExit>,
    calls: Vec<Call>,
    met: Option<Call>,
}

/// Runs the program; `None` if this process may not trace another.
#[allow(
    clippy::zombie_processes,
    reason = "the tracer has waited for it when it ends"
)]
pub(crate) fn run(
    operation: &str,
    path: &Path,
    point: Option<Point>,
    surroundings: &mut dyn Surroundings,
) -> Option<Run> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_faulty"))
        .args([OsStr::new(operation), path.as_os_str()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let pid = pid_of(&child);
    let mut tracer = Tracer {
        surroundings,
        point,
        pid,
        part: Part::Preparation,
        at_exit: None,
        calls: Vec::new(),
        met: None,
    };
    if !matches!(wait(pid), WaitStatus::Stopped(_, Signal::SIGSTOP)) {
        return None;
    }
    let options =
        Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_EXITKILL;
    ptrace::setoptions(pid, options).expect("it has stopped");
    let status = tracer.follow();
    let Tracer {
        calls, met, pid, ..
    } = tracer;
    if pid != pid_of(&child) {
        child.wait().expect("it is our child");
    }
    Some(Run {
        calls,
        met,
        status,
        pid,
        output: output(&mut child),
    })
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

fn wait(pid: Pid) -> WaitStatus {
    waitpid(pid, Some(WaitPidFlag::__WALL)).expect("it is traced")
}

/// A few lines, which fit into the pipes.
fn output(child: &mut Child) -> String {
    let mut text = String::new();
    let mut read = |from: &mut dyn Read| from.read_to_string(&mut text).expect("text");
    read(child.stdout.as_mut().expect("piped"));
    read(child.stderr.as_mut().expect("piped"));
    text
}

impl Tracer<'_> {
    /// From stop to stop until the end. After a fork it is the child that is followed.
    fn follow(&mut self) -> WaitStatus {
        let mut signal = None;
        loop {
            // Ignored: a process that was killed does not go on, and the next wait says so.
            let _ = ptrace::syscall(self.pid, signal.take());
            match wait(self.pid) {
                WaitStatus::PtraceSyscall(_) => self.at_call(),
                WaitStatus::PtraceEvent(parent, _, libc::PTRACE_EVENT_FORK) => {
                    let child = ptrace::getevent(parent).expect("the number of the child");
                    ptrace::detach(parent, None).expect("it has stopped");
                    self.pid = Pid::from_raw(child.try_into().expect("a number"));
                    self.at_exit = None;
                    // It stops before its first instruction.
                    wait(self.pid);
                }
                WaitStatus::Stopped(_, received) => signal = Some(received),
                status @ (WaitStatus::Exited(..) | WaitStatus::Signaled(..)) => return status,
                _ => {}
            }
        }
    }

    fn at_call(&mut self) {
        let at_exit = self.at_exit.take();
        if at_exit == Some(AtExit::Nothing) {
            return;
        }
        // It may have been killed meanwhile.
        let Ok(registers) = ptrace::getregs(self.pid) else {
            return;
        };
        match at_exit {
            None | Some(AtExit::Nothing) => self.at_exit = Some(self.enter(registers)),
            Some(AtExit::Kill) => self.kill(),
            Some(AtExit::Report(errno)) => self.report(registers, errno),
        }
    }

    fn enter(&mut self, registers: user_regs_struct) -> AtExit {
        let call = Call {
            number: registers.orig_rax.cast_signed(),
            arguments: [registers.rdi, registers.rsi, registers.rdx, registers.r10],
            closes_proc: registers.orig_rax.cast_signed() == libc::SYS_close
                && self.is_of_proc(registers.rdi),
        };
        if call.number == libc::SYS_getppid {
            self.mark();
            return AtExit::Nothing;
        }
        if self.part == Part::Operation {
            self.surroundings.before(&call);
            self.calls.push(call);
            let point = self
                .point
                .filter(|point| point.index + 1 == self.calls.len());
            if let Some(point) = point {
                self.met = Some(call);
                return self.interfere(registers, point.fault);
            }
        }
        match self.surroundings.refuses(&call) {
            Some(errno) => self.skip(registers, errno),
            None => AtExit::Nothing,
        }
    }

    fn is_of_proc(&self, descriptor: u64) -> bool {
        let link = format!("/proc/{}/fd/{descriptor}", self.pid);
        fs::read_link(link).is_ok_and(|path| path.starts_with("/proc"))
    }

    fn mark(&mut self) {
        self.part = match self.part {
            Part::Preparation => {
                self.surroundings.begins(self.pid);
                Part::Operation
            }
            Part::Operation | Part::Report => {
                self.surroundings.ends(self.pid);
                Part::Report
            }
        };
    }

    fn interfere(&self, registers: user_regs_struct, fault: Fault) -> AtExit {
        match fault {
            Fault::KilledBefore => {
                self.kill();
                AtExit::Nothing
            }
            Fault::KilledAfter => AtExit::Kill,
            Fault::Fails(errno) => self.skip(registers, errno),
            Fault::Misreports(errno) => AtExit::Report(errno),
        }
    }

    /// Calls a number that the kernel does not know, in its place.
    fn skip(&self, mut registers: user_regs_struct, errno: Errno) -> AtExit {
        registers.orig_rax = u64::MAX;
        ptrace::setregs(self.pid, registers).expect("it has stopped");
        AtExit::Report(errno)
    }

    fn report(&self, mut registers: user_regs_struct, errno: Errno) {
        // A call that has failed anyway says why itself.
        let has_failed = registers.rax.cast_signed() < 0;
        if has_failed && registers.orig_rax != u64::MAX {
            return;
        }
        registers.rax = i64::from(-(errno as i32)).cast_unsigned();
        ptrace::setregs(self.pid, registers).expect("it has stopped");
    }

    fn kill(&self) {
        kill(self.pid, Signal::SIGKILL).expect("it is traced");
    }
}
