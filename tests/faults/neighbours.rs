//! The processes beside the program under test: a holder, which may be asked to end, and a bystander,
//! which nothing may reach.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use nix::libc;
use nix::sys::signal::Signal;

use super::scene::Before;
use crate::support::tracer::{Call, Fault, Point, Run};
use crate::support::{Program, Script, eventually, holder};

/// A process that holds the file.
#[derive(Debug)]
pub(super) struct Holder {
    program: Program,
    before: Before,
    /// Whether the program under test has begun to ask it to end.
    was_asked: bool,
    /// Whether the test has resumed it, because the program under test left it suspended and waits.
    was_resumed: bool,
}

/// What has become of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It holds the file as before.
    Unharmed,
    EndedBy(Signal),
}

/// The signals that have been sent, in order.
#[derive(Debug)]
pub(super) struct Sent(Vec<Signal>);

impl Sent {
    /// # Errors
    ///
    /// One of them was sent by number to a process that is not the holder.
    pub(super) fn by(run: &Run, point: Point, holder: Option<&Holder>) -> Result<Sent, String> {
        let prevented = matches!(point.fault, Fault::KilledBefore | Fault::Fails(_));
        let mut signals = Vec::new();
        for (index, call) in run.calls.iter().enumerate() {
            let Some(signal) = signal_of(call) else {
                continue;
            };
            let target = i64::from_ne_bytes(call.arguments[0].to_ne_bytes());
            let pid = holder.map(|holder| i64::from(holder.program.pid()));
            if call.number == libc::SYS_kill && Some(target) != pid {
                return Err(format!("process {target} was sent {signal}"));
            }
            if !(prevented && index == point.index) {
                signals.push(signal);
            }
        }
        Ok(Sent(signals))
    }

    pub(super) fn includes(&self, signal: Signal) -> bool {
        self.0.contains(&signal)
    }

    pub(super) fn are_all_in(&self, signals: &[Signal]) -> bool {
        self.0.iter().all(|signal| signals.contains(signal))
    }
}

/// The signal that a call sends to another process. The existence check of `kill` sends none.
pub(super) fn signal_of(call: &Call) -> Option<Signal> {
    if ![libc::SYS_kill, libc::SYS_pidfd_send_signal].contains(&call.number) {
        return None;
    }
    let signal = i32::try_from(call.arguments[1]).expect("a signal");
    Signal::try_from(signal).ok()
}

impl Holder {
    /// Starts one, if there is one in this situation.
    pub(super) fn start(before: Before, path: &Path) -> Option<Holder> {
        let steps = match before {
            Before::Running | Before::Suspended => "acquire wait",
            Before::Stubborn => "ignore=SIGTERM acquire wait",
            _ => return None,
        };
        let mut program = holder(path).steps(steps).start();
        program.expect_held(path);
        if before == Before::Suspended {
            program.signal(Signal::SIGSTOP);
            eventually("the stop", || is_suspended(&program));
        }
        Some(Holder {
            program,
            before,
            was_asked: false,
            was_resumed: false,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.program.pid()
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.program.is_running()
    }

    /// Notices what the program under test does. Resumes the holder if it is still suspended while
    /// the program waits for its end: otherwise that would be a long wait.
    pub(super) fn notice(&mut self, call: &Call, sleeps: bool) {
        self.was_asked |= signal_of(call) == Some(Signal::SIGTERM);
        if sleeps && self.was_asked && is_suspended(&self.program) {
            self.was_resumed = true;
            self.program.signal(Signal::SIGCONT);
        }
    }

    /// What becomes of it after these signals. It has what they ask for, and nothing else has happened
    /// to it.
    pub(super) fn settle(&mut self, sent: &Sent) -> Result<Fate, String> {
        let wanted = [Signal::SIGKILL, Signal::SIGTERM].into_iter();
        let wanted = wanted
            .filter(|signal| self.before != Before::Stubborn || *signal == Signal::SIGKILL)
            .find(|signal| sent.includes(*signal));
        if self.was_resumed && (wanted.is_none() || sent.includes(Signal::SIGCONT)) {
            return Err("a holder was waited for that was not asked to end, or not resumed".into());
        }
        let Some(signal) = wanted else {
            return self.is_unharmed().map(|()| Fate::Unharmed);
        };
        // Without SIGCONT, SIGTERM stays pending.
        if is_suspended(&self.program) {
            if sent.includes(Signal::SIGCONT) {
                return Err("the holder was resumed and is suspended".into());
            }
            self.program.signal(Signal::SIGCONT);
        }
        let status = self.program.wait();
        if status.signal() == Some(signal as i32) {
            Ok(Fate::EndedBy(signal))
        } else {
            Err(format!("the holder ended with {status}, not by {signal}"))
        }
    }

    fn is_unharmed(&mut self) -> Result<(), String> {
        let is_suspended = is_suspended(&self.program);
        let pending = pending(&self.program);
        let as_before = is_suspended == (self.before == Before::Suspended);
        if self.program.is_running() && as_before && pending == 0 {
            Ok(())
        } else {
            Err(format!(
                "the holder was harmed: suspended {is_suspended}, pending {pending:x}"
            ))
        }
    }

    /// Lets it end as it would have without the program under test.
    pub(super) fn end(mut self) -> Result<(), String> {
        if !self.program.is_running() {
            return Ok(());
        }
        if is_suspended(&self.program) {
            self.program.signal(Signal::SIGCONT);
        }
        self.program.tell();
        let status = self.program.wait();
        if status.success() {
            Ok(())
        } else {
            Err(format!("the holder ended with {status}"))
        }
    }
}

/// A process that has nothing to do with the file but that its number may stand in it. A signal that it
/// is sent stays pending.
#[derive(Debug)]
pub(super) struct Bystander(Program);

impl Bystander {
    pub(super) fn start() -> Bystander {
        let mut program = Script::new().steps("block-signals say=ready wait").start();
        program.expect("ready");
        Bystander(program)
    }

    pub(super) fn record(&self) -> String {
        format!("{}\n", self.0.pid())
    }

    pub(super) fn is_unharmed(&mut self) -> Result<(), String> {
        let is_suspended = is_suspended(&self.0);
        // It has set itself an alarm.
        let pending = pending(&self.0) & !bit(Signal::SIGALRM);
        if self.0.is_running() && !is_suspended && pending == 0 {
            Ok(())
        } else {
            Err(format!(
                "the bystander was harmed: suspended {is_suspended}, pending {pending:x}"
            ))
        }
    }
}

/// A line of its status, which is empty once it is reaped.
fn status(program: &Program, key: &str) -> String {
    let status = fs::read_to_string(format!("/proc/{}/status", program.pid()));
    let status = status.unwrap_or_default();
    let value = status.lines().find_map(|line| line.strip_prefix(key));
    value.unwrap_or_default().trim().to_owned()
}

fn is_suspended(program: &Program) -> bool {
    status(program, "State:").starts_with('T')
}

fn bit(signal: Signal) -> u64 {
    1 << (signal as u32 - 1)
}

/// The signals that were sent to it and wait.
fn pending(program: &Program) -> u64 {
    let set = |key| u64::from_str_radix(&status(program, key), 16).unwrap_or_default();
    set("SigPnd:") | set("ShdPnd:")
}
