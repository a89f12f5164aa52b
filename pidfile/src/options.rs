//! What a caller may choose, and the defaults. No I/O: nothing is looked up,
//! read from the environment or checked before a terminal call.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::notice::{OnWait, Waiting};

/// How to hold a pidfile.
///
/// Setters take and return the value and cannot fail; mistakes are reported by the terminal call,
/// [`acquire`](Options::acquire), [`reserve`](Options::reserve), [`status`](Options::status) or
/// [`resolved_path`](Options::resolved_path). Everything that the environment can change (the
/// process id, the program's name, variables, the current directory, signal dispositions) is read
/// in the terminal call, so an `Options` that was built before a fork is right after it.
///
/// # Examples
///
/// ```
/// # fn main() -> pidfile::Result<()> {
/// # let dir = std::env::temp_dir().join(format!("pidfile-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir).unwrap();
/// # let path = dir.join("thermod.pid");
/// let held = pidfile::Options::new().path(&path).chmod(0o600).acquire()?;
/// assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", held.pid()));
/// held.release()?;
/// assert!(!path.exists());
/// # std::fs::remove_dir(&dir).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing until a terminal call such as `acquire`, `reserve` or `status`"]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is an independent switch of its own"
)]
pub struct Options {
    pub(crate) path: Option<PathBuf>,
    pub(crate) name: Option<OsString>,
    pub(crate) dir: Option<PathBuf>,
    pub(crate) dot_pid: bool,
    pub(crate) temp_dir: bool,
    pub(crate) chmod: u32,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) owner: Option<String>,
    pub(crate) group: Option<String>,
    pub(crate) lock: bool,
    pub(crate) refuse_live: bool,
    pub(crate) allow_same_process: bool,
    pub(crate) at_exit: bool,
    pub(crate) signals: bool,
    pub(crate) wait: Option<Duration>,
    pub(crate) replace: Option<Duration>,
    pub(crate) on_wait: Option<OnWait>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            path: None,
            name: None,
            dir: None,
            dot_pid: true,
            temp_dir: false,
            chmod: 0o644,
            uid: None,
            gid: None,
            owner: None,
            group: None,
            lock: true,
            refuse_live: false,
            allow_same_process: false,
            at_exit: true,
            signals: true,
            wait: None,
            replace: None,
            on_wait: None,
        }
    }
}

impl Options {
    /// All defaults: a file named after the program, in the first usable run-time directory.
    pub fn new() -> Options {
        Options::default()
    }

    /// The whole path of the pidfile. Excludes [`name`](Options::name), [`dir`](Options::dir) and
    /// [`temp_dir`](Options::temp_dir). Its directory must exist; the last component is never
    /// followed if it is a symbolic link. A relative path starts at the current directory of the
    /// terminal call.
    ///
    /// Default: `dir` and `name`.
    ///
    /// # Security
    ///
    /// A directory that exists is not judged: use one that only this user, or root, can write.
    pub fn path(mut self, path: impl AsRef<Path>) -> Options {
        self.path = Some(path.as_ref().to_owned());
        self
    }

    /// The file's name; `.pid` is added unless it is there (see [`dot_pid`](Options::dot_pid)). Excludes
    /// [`path`](Options::path).
    ///
    /// Default: the program's name, from `argv[0]` or else from the executable.
    pub fn name(mut self, name: impl AsRef<OsStr>) -> Options {
        self.name = Some(name.as_ref().to_owned());
        self
    }

    /// The directory of the file. Missing components are made, mode 0755 under the umask, but only
    /// below a directory that belongs to this user or to root and that nobody else can write. Excludes
    /// [`path`](Options::path) and [`temp_dir`](Options::temp_dir).
    ///
    /// Default: the first that is usable of `$RUNTIME_DIRECTORY` (its first entry); for root `/run`
    /// and `/var/run`; for others `$XDG_RUNTIME_DIR`, `/run/user/UID`, `/run` and `/var/run`; last
    /// the directory of [`temp_dir`](Options::temp_dir).
    ///
    /// # Security
    ///
    /// The variables count only if they are absolute, if the process was not started set-uid or
    /// set-gid, and if the directory belongs to this user or root and nobody else can write it.
    /// The default depends on user and environment: programs that must exclude each other across
    /// users, or across cron and login, set `path` or `dir`.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Options {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Whether `.pid` is added to [`name`](Options::name) where it is missing. Without effect on
    /// [`path`](Options::path), which is taken as it is.
    ///
    /// Default: `true`.
    pub fn dot_pid(mut self, dot_pid: bool) -> Options {
        self.dot_pid = dot_pid;
        self
    }

    /// Whether to use `TMPDIR/pidfile-UID`, a directory with mode 0700, instead of the run-time
    /// directory. `TMPDIR` counts under the same conditions as the variables of
    /// [`dir`](Options::dir), else it is `/tmp`. Excludes [`dir`](Options::dir) and
    /// [`path`](Options::path).
    ///
    /// Default: `false`.
    pub fn temp_dir(mut self, temp_dir: bool) -> Options {
        self.temp_dir = temp_dir;
        self
    }

    /// The exact permission bits of the file, whatever the umask. They must contain `0o600` and
    /// nothing outside `0o664`; anything else is [`Config`](crate::Error::Config).
    ///
    /// Default: `0o644`.
    ///
    /// # Security
    ///
    /// Who may read a stale file may lock it, and so refuse a start: where strangers share the
    /// machine use `0o600`, or a private directory.
    pub fn chmod(mut self, mode: u32) -> Options {
        self.chmod = mode;
        self
    }

    /// The user id that owns the file. Excludes [`owner`](Options::owner).
    ///
    /// Default: unchanged.
    ///
    /// # Platform-specific behavior
    ///
    /// To give a file away, by user or by group, takes privileges: on Linux `CAP_CHOWN`, and with
    /// `fs.protected_hardlinks` also `CAP_FOWNER`.
    pub fn uid(mut self, uid: u32) -> Options {
        self.uid = Some(uid);
        self
    }

    /// The group id of the file. Excludes [`group`](Options::group).
    ///
    /// Default: unchanged.
    pub fn gid(mut self, gid: u32) -> Options {
        self.gid = Some(gid);
        self
    }

    /// The user that owns the file, by name. Excludes [`uid`](Options::uid). An unknown name is
    /// [`Config`](crate::Error::Config).
    ///
    /// Default: unchanged.
    pub fn owner(mut self, owner: impl AsRef<str>) -> Options {
        self.owner = Some(owner.as_ref().to_owned());
        self
    }

    /// The group of the file, by name. Excludes [`gid`](Options::gid). An unknown name is
    /// [`Config`](crate::Error::Config).
    ///
    /// Default: unchanged.
    pub fn group(mut self, group: impl AsRef<str>) -> Options {
        self.group = Some(group.as_ref().to_owned());
        self
    }

    /// Whether the kernel's lock decides. With `false` only the recorded process id does: a process
    /// of that number that lives, whatever it is, refuses the start.
    ///
    /// For file systems without `flock`. It is best effort: two starters that replace the same
    /// stale file at the same moment may both win, a process that died and whose number another
    /// one got still refuses, and programs with and without the lock must not share a path.
    ///
    /// Default: `true`.
    pub fn lock(mut self, lock: bool) -> Options {
        self.lock = lock;
        self
    }

    /// Whether to refuse, even with the lock in hand, as long as the recorded process lives and is
    /// not provably another program. For moving away from a writer that does not lock its file.
    ///
    /// Default: `false`: with the lock in hand a record is stale, whoever it names.
    ///
    /// # Platform-specific behavior
    ///
    /// Which program a process runs is known on Linux with `/proc` only; elsewhere every living
    /// process refuses.
    pub fn refuse_live(mut self, refuse_live: bool) -> Options {
        self.refuse_live = refuse_live;
        self
    }

    /// Whether a second acquire succeeds in the process that holds the file. Its guard cleans up
    /// nothing; the first one's release removes the file.
    ///
    /// Default: `false`: the second acquire is [`Locked`](crate::Error::Locked) and names this
    /// process.
    pub fn allow_same_process(mut self, allow_same_process: bool) -> Options {
        self.allow_same_process = allow_same_process;
        self
    }

    /// Whether the file is removed when the process exits without having released it: a return from
    /// `main`, `std::process::exit`, a guard that was forgotten.
    ///
    /// Default: `true`.
    pub fn at_exit(mut self, at_exit: bool) -> Options {
        self.at_exit = at_exit;
        self
    }

    /// Whether the file is removed when SIGTERM, SIGINT, SIGHUP or SIGQUIT ends the process. The
    /// process still dies by that signal.
    ///
    /// Handlers are installed at the first acquire that asks for them, and only where the signal
    /// has its default disposition then: an ignored signal stays ignored, and a handler of the
    /// program stays in place.
    ///
    /// Default: `true`.
    pub fn signals(mut self, signals: bool) -> Options {
        self.signals = signals;
        self
    }

    /// How long to wait for the holder to leave. `Duration::MAX` is for ever, and so is every time
    /// that is too long to be added to the clock; zero is not to wait.
    ///
    /// The calling thread sleeps in the kernel. In asynchronous code that is a thread of the executor:
    /// there, call [`acquire`](Options::acquire) in a loop with the runtime's own sleep instead, which
    /// can be cancelled. The cookbook shows it under "Wait in asynchronous code".
    ///
    /// A process that waits for a file which it holds itself waits for the whole time.
    ///
    /// Default: no waiting.
    ///
    /// # Platform-specific behavior
    ///
    /// On Linux the release wakes the waiter, and a process that had to wait keeps one `inotify`
    /// descriptor open from then on, because closing it takes the kernel milliseconds. Elsewhere,
    /// and where `inotify` is not to be had, the waiter looks again after 1 to 100 ms. With
    /// `lock(false)`, a holder that dies without cleaning up is noticed after half a second at the
    /// latest.
    pub fn wait(mut self, wait: Duration) -> Options {
        self.wait = Some(wait);
        self
    }

    /// What to do when a start begins to wait, or to [replace](Options::replace) the holder: it is the
    /// moment to tell whoever has started the program. It is called once for each wait, and not by a
    /// start that need not wait.
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
    /// Default: nothing. In `main`, the attribute reports it on stderr, if that is a terminal.
    pub fn on_wait(mut self, notice: impl Fn(&Waiting) + Send + Sync + 'static) -> Options {
        self.on_wait = Some(OnWait::new(notice));
        self
    }

    /// Stops the process that holds the file and takes its place, as the `--replace` of a window
    /// manager does. The holder gets SIGTERM and that much time to end; if it is still there, the
    /// start fails with [`StillRunning`](crate::Error::StillRunning).
    ///
    /// Only a process that holds the file for certain is signalled: otherwise the start fails with
    /// [`UnknownHolder`](crate::Error::UnknownHolder). See [`Holder`](crate::Holder) for what each
    /// system can know. Of several starts that replace at once, the last one stands.
    ///
    /// Excludes [`wait`](Options::wait), and `lock(false)`. Zero is
    /// [`Config`](crate::Error::Config): it would end the holder without a chance to take its place.
    ///
    /// Default: the holder is left alone.
    pub fn replace(mut self, patience: Duration) -> Options {
        self.replace = Some(patience);
        self
    }
}
