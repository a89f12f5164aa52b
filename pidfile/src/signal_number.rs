//! `Signal`: a signal by name, without exposing a type of another crate.

use std::fmt;
use std::str::FromStr;

use nix::libc::{self, c_int};

use crate::error::Error;

/// A signal to send with [`Holder::signal`](crate::Holder::signal).
///
/// The constants are the signals of POSIX, with their numbers on this system. For any other signal
/// use [`from_raw`](Signal::from_raw). A signal is displayed as `SIGHUP`, and parsed from `HUP`,
/// `SIGHUP` or a number.
///
/// # Examples
///
/// ```
/// use pidfile::Signal;
///
/// assert_eq!("hup".parse::<Signal>()?, Signal::HUP);
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// # Ok::<(), pidfile::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signal(c_int);

macro_rules! signals {
    ($($name:ident $number:ident $meaning:literal,)*) => {
        impl Signal {
            $(
                #[doc = $meaning]
                pub const $name: Signal = Signal(libc::$number);
            )*

            const NAMED: &'static [(&'static str, Signal)] = &[
                $((stringify!($name), Signal::$name),)*
            ];
        }
    };
}

signals! {
    ABRT SIGABRT "Abort, with a core file.",
    ALRM SIGALRM "A timer has expired.",
    BUS SIGBUS "An access to memory that does not exist.",
    CHLD SIGCHLD "A child has ended, or was suspended or continued.",
    CONT SIGCONT "Continue, if suspended.",
    FPE SIGFPE "An arithmetic error.",
    HUP SIGHUP "The terminal was closed; most daemons reload their configuration.",
    ILL SIGILL "An illegal instruction.",
    INT SIGINT "Interrupt, as sent by Ctrl-C.",
    KILL SIGKILL "End at once; it cannot be handled.",
    PIPE SIGPIPE "A write to a pipe that no process reads.",
    PROF SIGPROF "A profiling timer has expired.",
    QUIT SIGQUIT "Quit with a core file, as sent by Ctrl-\\.",
    SEGV SIGSEGV "An invalid access to memory.",
    STOP SIGSTOP "Suspend; it cannot be handled.",
    SYS SIGSYS "A bad system call.",
    TERM SIGTERM "Terminate; the process may clean up first.",
    TRAP SIGTRAP "A breakpoint.",
    TSTP SIGTSTP "Suspend, as sent by Ctrl-Z.",
    TTIN SIGTTIN "A background process reads from the terminal.",
    TTOU SIGTTOU "A background process writes to the terminal.",
    URG SIGURG "Urgent data on a socket.",
    USR1 SIGUSR1 "Defined by the program.",
    USR2 SIGUSR2 "Defined by the program.",
    VTALRM SIGVTALRM "A timer of processor time has expired.",
    WINCH SIGWINCH "The size of the terminal has changed.",
    XCPU SIGXCPU "The limit of processor time is reached.",
    XFSZ SIGXFSZ "The limit of file size is reached.",
}

impl Signal {
    /// Returns the signal with that number. A number that the system does not know is refused when
    /// the signal is sent.
    #[must_use]
    pub const fn from_raw(number: i32) -> Signal {
        Signal(number)
    }

    /// Returns its number on this system.
    #[must_use]
    pub const fn as_raw(self) -> i32 {
        self.0
    }

    fn name(self) -> Option<&'static str> {
        let mut named = Signal::NAMED.iter();
        named
            .find(|(_, signal)| *signal == self)
            .map(|(name, _)| *name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "SIG{name}"),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "Signal::{name}"),
            None => write!(f, "Signal::from_raw({})", self.0),
        }
    }
}

/// Parses `HUP`, `SIGHUP` (in upper or lower case) or a positive number.
impl FromStr for Signal {
    type Err = Error;

    fn from_str(text: &str) -> Result<Signal, Error> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        let mut named = Signal::NAMED.iter();
        if let Some((_, signal)) = named.find(|(known, _)| *known == name) {
            return Ok(*signal);
        }
        match text.parse() {
            Ok(number @ 1..) => Ok(Signal(number)),
            _ => Err(Error::config(format!(
                "{text:?} is not a signal; write a name such as HUP, or a number"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for (name, signal) in Signal::NAMED {
            let lower = name.to_ascii_lowercase();
            for text in [
                *name,
                &lower,
                &signal.to_string(),
                &signal.as_raw().to_string(),
            ] {
                assert_eq!(text.parse::<Signal>().unwrap(), *signal, "{text}");
            }
        }
        for text in [
            "",
            "SIG",
            "SIGSIGHUP",
            "0",
            "-1",
            "1 ",
            "+HUP",
            "99999999999",
        ] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
        assert_eq!(format!("{:?}", Signal::HUP), "Signal::HUP");
        assert_eq!(Signal::from_raw(1234).to_string(), "signal 1234");
    }
}
