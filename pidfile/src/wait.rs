//! Sleep until the holder may have left.
//!
//! A waiter keeps the file that it waits for open and watches its inode: an
//! unlink, a truncation and a writer's last close each wake it. If it opened
//! the name anew each time, its own close would wake it, and every other waiter
//! too. A close is announced just before the lock is freed, so after an event
//! the lock is tried several times.
//!
//! Not everything is announced: an explicit unlock is not, and not every system
//! has inotify. So every sleep has a limit.

use std::mem;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::notice::{OnWait, Waiting};
use crate::open::Found;
use crate::options::Options;
use watch::Watch;

/// The longest sleep where events are announced.
const SAFETY_NET: Duration = Duration::from_millis(500);
/// The shortest and the longest sleep where they are not.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(100);
/// How often the lock is tried after an event, and the pause in between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_micros(100);

impl Options {
    /// Sets a function that is called before a start waits for the holder or
    /// [replaces](Options::replace) it, so that the program can tell the person who started it. It
    /// is called once for each wait, and not at all by a start that need not wait.
    ///
    /// ```no_run
    /// # fn main() -> pidfile::Result<()> {
    /// let held = pidfile::Options::new()
    ///     .name("thermod")
    ///     .wait(std::time::Duration::from_secs(30))
    ///     .on_wait(|waiting| eprintln!("thermod: {waiting}"))
    ///     .acquire()?;
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Default: none. In `main`, the attribute prints the notice to stderr if that is a terminal.
    pub fn on_wait(mut self, notice: impl Fn(&Waiting) + Send + Sync + 'static) -> Options {
        self.on_wait = Some(OnWait::new(notice));
        self
    }
}

/// A waiter: its time limit, and what it sleeps on.
#[derive(Debug)]
pub(crate) struct Waiter {
    /// As given by the caller.
    time: Option<Duration>,
    patience: Patience,
    /// How long it has certainly slept. The clock alone is not enough, because it may stand still.
    slept: Duration,
    has_begun: bool,
    /// Created for the first sleep.
    watch: Option<Watch>,
}

/// How long an acquire is willing to wait, also for a holder that it stops.
pub(crate) fn patience(options: &Options) -> Result<Option<Duration>> {
    let replace = options.replace.map(|replacement| replacement.patience);
    let excluded = match replace {
        Some(_) if options.wait.is_some() => "`replace` cannot be combined with `wait`",
        Some(_) if !options.lock => {
            "`replace` needs the lock: without it, nothing proves which process holds the file"
        }
        Some(Duration::ZERO) => {
            "`replace` is zero; give the holder some time to end, such as ten seconds"
        }
        _ => return Ok(options.wait.or(replace)),
    };
    Err(Error::config(excluded))
}

/// How long an acquire is willing to wait.
#[derive(Clone, Copy, Debug)]
enum Patience {
    UsedUp,
    Until(Instant),
    Forever,
}

impl Waiter {
    /// A waiter whose time begins now. `None` and zero do not wait.
    pub(crate) fn new(wait: Option<Duration>) -> Waiter {
        let time = wait.filter(|wait| !wait.is_zero());
        let patience = match time {
            None => Patience::UsedUp,
            // A deadline that overflows the clock is never reached.
            Some(time) => Instant::now()
                .checked_add(time)
                .map_or(Patience::Forever, Patience::Until),
        };
        Waiter {
            time,
            patience,
            slept: Duration::ZERO,
            has_begun: false,
            watch: None,
        }
    }

    /// How long it was willing to wait in total; `None` if not at all.
    pub(crate) fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Whether this is the first wait. Returns `true` once.
    pub(crate) fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.has_begun, true)
    }

    /// Ends the waiting of a caller that now holds the file. Closing an inotify instance takes the
    /// kernel milliseconds, which would delay the caller, so each process leaves one open.
    pub(crate) fn served(self) {
        static LEFT_OPEN: AtomicBool = AtomicBool::new(false);

        if self.watch.is_some() && !LEFT_OPEN.swap(true, Relaxed) {
            mem::forget(self.watch);
        }
    }

    /// What is left of the time.
    pub(crate) fn left(&self) -> Duration {
        self.at_most(Duration::MAX).unwrap_or_default()
    }

    pub(crate) fn is_patient(&self) -> bool {
        self.at_most(SAFETY_NET).is_some()
    }

    /// The time that is left, at most `longest`; `None` when it is used up.
    fn at_most(&self, longest: Duration) -> Option<Duration> {
        match self.patience {
            Patience::UsedUp => None,
            Patience::Forever => Some(longest),
            Patience::Until(deadline) => {
                let left = deadline
                    .saturating_duration_since(Instant::now())
                    .min(self.time.unwrap_or_default().saturating_sub(self.slept));
                (left > Duration::ZERO).then(|| left.min(longest))
            }
        }
    }

    /// Sleeps until `found` may be free, or the time is used up.
    ///
    /// `may_be_free` checks, as cheaply as possible, whether it is worth judging the file again.
    pub(crate) fn wait(
        &mut self,
        found: &Found,
        may_be_free: &mut dyn FnMut() -> Result<bool>,
    ) -> Result<()> {
        // The watch comes first, and then one more check, so that nothing in between is missed.
        let watch = self.watch.take().or_else(Watch::new);
        self.watch = watch.and_then(|watch| watch.look_at(found.file.as_raw_fd()));
        let answer = self.sleep_until(may_be_free);
        if let Some(watch) = &mut self.watch {
            watch.look_away();
        }
        answer
    }

    fn sleep_until(&mut self, may_be_free: &mut dyn FnMut() -> Result<bool>) -> Result<()> {
        let mut back_off = SHORTEST;
        while !may_be_free()? {
            let announced = self.watch.is_some();
            let longest = if announced { SAFETY_NET } else { back_off };
            let Some(sleep) = self.at_most(longest) else {
                self.patience = Patience::UsedUp;
                return Ok(());
            };
            let Some(watch) = &mut self.watch else {
                thread::sleep(sleep);
                self.slept += sleep;
                back_off = LONGEST.min(back_off * 2);
                continue;
            };
            match watch.sleep(sleep) {
                Sleep::Woken => {
                    for _ in 0..TRIES {
                        if may_be_free()? {
                            return Ok(());
                        }
                        thread::sleep(PAUSE);
                    }
                }
                Sleep::Whole => self.slept += sleep,
                Sleep::Impossible => self.watch = None,
            }
        }
        Ok(())
    }
}

/// How a sleep on a watch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every system has a watch")]
enum Sleep {
    /// Something happened, or a signal arrived.
    Woken,
    Whole,
    /// The program has closed the watch's descriptor.
    Impossible,
}

#[cfg(target_os = "linux")]
mod watch {
    use std::os::fd::{AsFd, AsRawFd, RawFd};
    use std::{fs, mem};

    use nix::libc::STDERR_FILENO;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

    use super::{Duration, Sleep};

    /// An inotify instance that watches one inode at a time.
    ///
    /// A program that closes all descriptors that it does not know closes this one, too, while
    /// another of its threads waits. The number may then mean anything, and must be neither read
    /// from nor closed.
    #[derive(Debug)]
    pub(super) struct Watch {
        /// `None` once it is not ours any more.
        inotify: Option<Inotify>,
        watched: Option<WatchDescriptor>,
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            if !self.is_ours() {
                mem::forget(self.inotify.take());
            }
        }
    }

    /// Creates an instance whose descriptor is not one of the three standard ones.
    fn init() -> Option<Inotify> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
        if inotify.as_fd().as_raw_fd() > STDERR_FILENO {
            return Some(inotify);
        }
        // The low descriptor stays open until the next one has a higher number.
        init()
    }

    impl Watch {
        /// `None` if there are too many instances or descriptors.
        pub(super) fn new() -> Option<Watch> {
            Some(Watch {
                inotify: Some(init()?),
                watched: None,
            })
        }

        /// Begins to watch a file; `None` if there is no /proc, or if there are too many watches.
        pub(super) fn look_at(mut self, file: RawFd) -> Option<Watch> {
            let events =
                AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MODIFY;
            // By the descriptor, because the name may mean another file by now.
            let path = format!("/proc/self/fd/{file}");
            let watched = self.inotify.as_ref()?.add_watch(path.as_str(), events);
            self.watched = Some(watched.ok()?);
            Some(self)
        }

        /// Ends the watch. The kernel then does the slow part in the background, and not when the
        /// instance is closed.
        pub(super) fn look_away(&mut self) {
            if let (Some(inotify), Some(watched)) = (&self.inotify, self.watched.take()) {
                // Ignored: if the file is gone, so is its watch.
                let _ = inotify.rm_watch(watched);
            }
        }

        /// Sleeps until something happens, or for that time.
        pub(super) fn sleep(&mut self, longest: Duration) -> Sleep {
            let Some(inotify) = &self.inotify else {
                return Sleep::Impossible;
            };
            // Rounded up, so as not to spin in the last millisecond.
            let milliseconds = longest.as_millis() + 1;
            let timeout = PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX);
            let mut fds = [PollFd::new(inotify.as_fd(), PollFlags::POLLIN)];
            match poll(&mut fds, timeout) {
                Ok(0) => return Sleep::Whole,
                Ok(_) if !self.is_ours() => return Sleep::Impossible,
                // Which event it was does not matter. Ignored: the next sleep is as good.
                Ok(_) => drop(inotify.read_events()),
                // An interrupted sleep ends early.
                Err(_) => {}
            }
            Sleep::Woken
        }

        /// Whether the descriptor is still an inotify instance. All of these have one inode, so only
        /// the name that the kernel gives them tells them from other files.
        fn is_ours(&self) -> bool {
            let Some(inotify) = &self.inotify else {
                return false;
            };
            let link = format!("/proc/self/fd/{}", inotify.as_fd().as_raw_fd());
            fs::read_link(link).is_ok_and(|name| name.as_os_str() == "anon_inode:inotify")
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod watch {
    use std::os::fd::RawFd;

    use super::{Duration, Sleep};

    /// There is no inotify on this system.
    #[derive(Debug)]
    pub(super) enum Watch {}

    impl Watch {
        pub(super) fn new() -> Option<Watch> {
            None
        }

        pub(super) fn look_at(self, _: RawFd) -> Option<Watch> {
            match self {}
        }

        pub(super) fn look_away(&mut self) {
            match *self {}
        }

        pub(super) fn sleep(&mut self, _: Duration) -> Sleep {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests;
