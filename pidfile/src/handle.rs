//! A handle on one particular process. Once a process is gone, its number may be
//! given to another one; a handle never means another process.
//!
//! On Linux it is a pidfd, on macOS and the BSDs a kqueue that reports the exit.
//! Where neither is available there is only the number, which is checked again
//! before every signal.

use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::libc::c_int;

use crate::deadline::Deadline;
use crate::process;
use pin::Pin;

/// The pause between two checks, where the end of a process is not announced.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(100);

/// The longest sleep at a time: some systems refuse a longer one.
const A_DAY: Duration = Duration::from_secs(86_400);

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every system has a pin")]
enum Sleep {
    /// The process has ended.
    Ended,
    TimeUp,
    /// A signal was delivered to this process.
    Interrupted,
}

#[allow(dead_code, reason = "not every system has a pin")]
impl Sleep {
    /// `reported` is whether a call that waits for the end has reported it.
    fn of(reported: nix::Result<bool>) -> Sleep {
        match reported {
            Ok(true) => Sleep::Ended,
            Ok(false) => Sleep::TimeUp,
            Err(_) => Sleep::Interrupted,
        }
    }
}

/// One particular process.
#[derive(Debug)]
pub(crate) struct Handle {
    pid: u32,
    /// `None` where the system offers no such handle.
    pin: Option<Pin>,
}

impl Handle {
    /// Opens the process that has this number now; `None` if there is none.
    pub(crate) fn open(pid: u32) -> nix::Result<Option<Handle>> {
        let pin = match Pin::new(pid) {
            Ok(pin) => Some(pin),
            // No process has this number; a thread may have it.
            Err(Errno::ESRCH | Errno::EINVAL | Errno::ENOENT) => return Ok(None),
            // The call does not exist, or a filter forbids it.
            Err(Errno::ENOSYS | Errno::EPERM | Errno::EACCES) => None,
            Err(errno) => return Err(errno),
        };
        Ok(Some(Handle { pid, pin }))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    pub(crate) fn has_ended(&self) -> bool {
        match &self.pin {
            Some(pin) => pin.sleep(Duration::ZERO) == Sleep::Ended,
            None => !process::is_alive(self.pid),
        }
    }

    /// # Errors
    ///
    /// ESRCH: it has ended.
    pub(crate) fn signal(&self, signal: c_int) -> nix::Result<()> {
        match &self.pin {
            Some(pin) => pin.signal(self.pid, signal),
            None => process::signal(self.pid, signal),
        }
    }

    /// Sleeps until it has ended. Returns `false` if the time is up first.
    pub(crate) fn wait(&self, deadline: Deadline) -> bool {
        let mut back_off = SHORTEST;
        loop {
            let left = deadline.left();
            let is_last = if let Some(pin) = &self.pin {
                match pin.sleep(left.min(A_DAY)) {
                    Sleep::Ended => return true,
                    // The whole sleep is over, whatever the clock says: it may stand still.
                    Sleep::TimeUp => left <= A_DAY,
                    Sleep::Interrupted => left.is_zero(),
                }
            } else {
                if !process::is_alive(self.pid) {
                    return true;
                }
                thread::sleep(back_off.min(left));
                back_off = LONGEST.min(back_off * 2);
                left.is_zero()
            };
            if is_last {
                return false;
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod pin {
    use std::os::fd::{AsFd, OwnedFd};
    use std::time::Duration;

    use nix::libc::c_int;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    use super::Sleep;
    use crate::descriptor::above_standard;
    use crate::sys;

    /// A pidfd.
    #[derive(Debug)]
    pub(super) struct Pin(OwnedFd);

    impl Pin {
        pub(super) fn new(pid: u32) -> nix::Result<Pin> {
            above_standard(sys::pidfd_open(pid)?).map(Pin)
        }

        pub(super) fn signal(&self, _: u32, signal: c_int) -> nix::Result<()> {
            sys::pidfd_send_signal(self.0.as_fd(), signal)
        }

        pub(super) fn sleep(&self, longest: Duration) -> Sleep {
            // Rounded up, so that the last millisecond before a deadline is not spent spinning.
            let milliseconds = longest.as_nanos().div_ceil(1_000_000);
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            Sleep::of(poll(&mut fds, timeout).map(|ready| ready > 0))
        }
    }
}

#[cfg(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod pin {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::libc::{self, c_int};
    use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

    use super::Sleep;
    use crate::process;

    /// A kqueue that reports the exit of one process.
    #[derive(Debug)]
    pub(super) struct Pin {
        queue: Kqueue,
        /// Remembered, because the kqueue reports the exit only once.
        has_ended: AtomicBool,
    }

    impl Pin {
        pub(super) fn new(pid: u32) -> nix::Result<Pin> {
            let queue = Kqueue::new()?;
            let exit = KEvent::new(
                pid as libc::uintptr_t,
                EventFilter::EVFILT_PROC,
                EvFlags::EV_ADD,
                FilterFlag::NOTE_EXIT,
                0,
                0,
            );
            queue.kevent(&[exit], &mut [], None)?;
            Ok(Pin {
                queue,
                has_ended: AtomicBool::new(false),
            })
        }

        /// The signal can reach another process only if this one ends between the two calls.
        pub(super) fn signal(&self, pid: u32, signal: c_int) -> nix::Result<()> {
            if self.sleep(Duration::ZERO) == Sleep::Ended {
                return Err(Errno::ESRCH);
            }
            process::signal(pid, signal)
        }

        pub(super) fn sleep(&self, longest: Duration) -> Sleep {
            if self.has_ended.load(Relaxed) {
                return Sleep::Ended;
            }
            let timeout = libc::timespec {
                // A day fits into every type.
                tv_sec: longest.as_secs() as libc::time_t,
                tv_nsec: longest.subsec_nanos() as libc::c_long,
            };
            let none = KEvent::new(
                0,
                EventFilter::EVFILT_PROC,
                EvFlags::empty(),
                FilterFlag::empty(),
                0,
                0,
            );
            let events = self.queue.kevent(&[], &mut [none], Some(timeout));
            let sleep = Sleep::of(events.map(|count| count > 0));
            if sleep == Sleep::Ended {
                self.has_ended.store(true, Relaxed);
            }
            sleep
        }
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
mod pin {
    use std::time::Duration;

    use nix::errno::Errno;
    use nix::libc::c_int;

    use super::Sleep;

    /// These systems offer none.
    #[derive(Debug)]
    pub(super) enum Pin {}

    impl Pin {
        pub(super) fn new(_: u32) -> nix::Result<Pin> {
            Err(Errno::ENOSYS)
        }

        pub(super) fn signal(&self, _: u32, _: c_int) -> nix::Result<()> {
            match *self {}
        }

        pub(super) fn sleep(&self, _: Duration) -> Sleep {
            match *self {}
        }
    }
}
