//! Processes that go on one system call at a time.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::program::pid as pid_of;

/// A process that is stopped between two system calls. Dropped, it goes on freely. All calls must
/// come from the thread that stopped it, since the kernel knows a tracer by its thread.
#[derive(Debug)]
pub(crate) struct Stepped {
    pid: Pid,
    is_gone: bool,
    /// Whether it stops only at the calls that its filter names.
    is_filtered: bool,
}

/// A system call that a process is about to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) number: i64,
    pub(crate) arguments: [u64; 6],
}

impl Stepped {
    /// Stops a process wherever it is.
    #[track_caller]
    pub(crate) fn stop(pid: u32) -> Stepped {
        Stepped::seize(pid, Options::PTRACE_O_TRACESYSGOOD)
    }

    /// Stops a program that forks processes to be stepped, each of which has a filter (the step
    /// `stop-at-calls`). All of them end with the test.
    #[track_caller]
    pub(crate) fn stop_with_its_forks(pid: u32) -> Stepped {
        Stepped::seize(
            pid,
            Options::PTRACE_O_TRACESYSGOOD
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACESECCOMP
                | Options::PTRACE_O_EXITKILL,
        )
    }

    #[track_caller]
    fn seize(pid: u32, options: Options) -> Stepped {
        let pid = pid_of(pid);
        ptrace::seize(pid, options).expect("it may be traced");
        ptrace::interrupt(pid).expect("it is there");
        Stepped::stopped(pid)
    }

    #[track_caller]
    fn stopped(pid: Pid) -> Stepped {
        let stopped = Stepped {
            pid,
            is_gone: false,
            is_filtered: false,
        };
        match wait(pid) {
            WaitStatus::PtraceEvent(..) => stopped,
            other => panic!("stopped by {other:?}"),
        }
    }

    /// Lets it go on until it has forked. The child is stopped before its first system call.
    #[track_caller]
    pub(crate) fn next_fork(&mut self) -> Stepped {
        loop {
            ptrace::cont(self.pid, None).expect("it is stopped");
            match wait(self.pid) {
                WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_FORK) => break,
                WaitStatus::PtraceEvent(..) => {}
                other => panic!("no fork, but {other:?}"),
            }
        }
        let child = ptrace::getevent(self.pid).expect("the number of the child");
        let mut child = Stepped::stopped(Pid::from_raw(child.try_into().expect("a number")));
        child.is_filtered = true;
        child
    }

    /// Lets it go on freely, but stay traced.
    #[track_caller]
    pub(crate) fn let_run(&self) {
        ptrace::cont(self.pid, None).expect("it is stopped");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    /// Lets it go on until it is about to make a system call. `None` if it ended instead.
    #[track_caller]
    pub(crate) fn next_call(&mut self) -> Option<Call> {
        let go_on = if self.is_filtered {
            ptrace::cont
        } else {
            ptrace::syscall
        };
        self.resume(go_on).then(|| self.pending())
    }

    /// Lets it not make the system call that it was about to make, which succeeds.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn skip_call(&self) {
        let mut registers = ptrace::getregs(self.pid).expect("it is stopped");
        registers.orig_rax = u64::MAX;
        registers.rax = 0;
        ptrace::setregs(self.pid, registers).expect("it is stopped");
    }

    /// Lets it make the system call that it was about to make. Returns whether it is still there.
    #[track_caller]
    pub(crate) fn make_call(&mut self) -> bool {
        self.resume(ptrace::syscall)
    }

    /// Kills it, and waits until nothing of it is left.
    #[track_caller]
    pub(crate) fn kill(mut self) {
        // Fails if it has ended.
        let _ = kill(self.pid, Signal::SIGKILL);
        while !self.is_gone {
            let seen = wait(self.pid);
            self.is_gone = matches!(seen, WaitStatus::Exited(..) | WaitStatus::Signaled(..));
        }
    }

    /// Goes on until the next stop. Without a filter this is the beginning of a call and its end in
    /// turn: where it was first stopped, it was in no call, or in one that it begins again. Signals
    /// reach the process on the way.
    #[track_caller]
    fn resume(&mut self, go_on: fn(Pid, Option<Signal>) -> nix::Result<()>) -> bool {
        let mut signal = None;
        loop {
            go_on(self.pid, signal).expect("it is stopped");
            match wait(self.pid) {
                WaitStatus::PtraceSyscall(_)
                | WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_SECCOMP) => return true,
                WaitStatus::Stopped(_, seen) => signal = Some(seen),
                WaitStatus::PtraceEvent(..) => signal = None,
                WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                    self.is_gone = true;
                    return false;
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// What the kernel says about the call at which it is stopped.
    #[cfg(target_arch = "x86_64")]
    fn pending(&self) -> Call {
        let registers = ptrace::getregs(self.pid).expect("it is stopped");
        Call {
            number: registers.orig_rax.cast_signed(),
            arguments: [
                registers.rdi,
                registers.rsi,
                registers.rdx,
                registers.r10,
                registers.r8,
                registers.r9,
            ],
        }
    }

    /// What the kernel says about the call at which it is stopped.
    #[cfg(not(target_arch = "x86_64"))]
    fn pending(&self) -> Call {
        let text = fs::read_to_string(format!("/proc/{}/syscall", self.pid)).expect("/proc");
        let mut words = text.split_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let mut arguments = [0; 6];
        for (argument, word) in arguments.iter_mut().zip(words) {
            let digits = word.trim_start_matches("0x");
            *argument = u64::from_str_radix(digits, 16).expect("a number");
        }
        Call {
            number: number.unwrap_or_else(|| panic!("not at a call: {text}")),
            arguments,
        }
    }

    /// What the call has returned at whose end it is stopped.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn result(&self) -> i64 {
        let registers = ptrace::getregs(self.pid).expect("it is stopped");
        registers.rax.cast_signed()
    }

    /// A string in its memory.
    pub(crate) fn string(&self, address: u64) -> Vec<u8> {
        let memory = File::open(format!("/proc/{}/mem", self.pid)).expect("its memory");
        let mut string = vec![0; 256];
        // What lies behind the string may not be mapped.
        let length = memory.read_at(&mut string, address).unwrap_or_default();
        string.truncate(length);
        let end = string.iter().position(|&byte| byte == 0);
        string.truncate(end.unwrap_or(length));
        string
    }

    /// The device and inode of one of its descriptors.
    pub(crate) fn file(&self, descriptor: u64) -> Option<(u64, u64)> {
        let facts = fs::metadata(format!("/proc/{}/fd/{descriptor}", self.pid)).ok()?;
        Some((facts.dev(), facts.ino()))
    }
}

impl Drop for Stepped {
    fn drop(&mut self) {
        if !self.is_gone {
            // Fails if it was killed.
            let _ = ptrace::detach(self.pid, None::<Signal>);
        }
    }
}

/// What it reports next. Each program that is stepped has an alarm, so one that hangs ends.
#[track_caller]
fn wait(pid: Pid) -> WaitStatus {
    waitpid(pid, Some(WaitPidFlag::__WALL)).expect("it is traced")
}
