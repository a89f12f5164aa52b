//! What a caller may choose, and the defaults. There is no I/O here: nothing is
//! looked up, read from the environment or checked before a terminal call.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::notice::OnWait;

/// Options for acquiring a pidfile.
///
/// Setters take and return the value and cannot fail. Mistakes are reported by the terminal call,
/// such as [`acquire`](Options::acquire) or [`status`](Options::status). That call also reads
/// whatever can change (the process id, the program's name, environment variables, the current
/// directory, signal dispositions), so an `Options` built before a fork can be used after it.
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
#[allow(clippy::struct_excessive_bools, reason = "all independent")]
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
    pub(crate) replace: Option<Replacement>,
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

/// That a start replaces the holder.
///
/// Only [`Options::replace`] names the functions. A program that never calls it is linked without
/// them, and so without all that identifies, signals and awaits another process.
#[derive(Clone, Copy)]
pub(crate) struct Replacement {
    /// How long the holder has to end.
    pub(crate) patience: Duration,
    pub(crate) stop: fn(&Options, Error, Duration) -> Result<Option<Error>>,
    pub(crate) is_promising: fn(&Options) -> bool,
}

impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.patience.fmt(f)
    }
}

impl Options {
    /// Returns the default options: a file named after the program, in the first usable run-time
    /// directory.
    pub fn new() -> Options {
        Options::default()
    }

    /// Sets the whole path of the pidfile. It cannot be combined with [`name`](Options::name),
    /// [`dir`](Options::dir) or [`temp_dir`](Options::temp_dir).
    ///
    /// The directory must exist. A symbolic link as the last component is not followed, but refused
    /// as [`NotPidfile`](crate::Error::NotPidfile). A relative path is resolved against the current
    /// directory at the time of the terminal call.
    ///
    /// Default: [`name`](Options::name) in [`dir`](Options::dir).
    ///
    /// # Security
    ///
    /// The directory is used as it is. Choose one that only this user, or root, can write to.
    pub fn path(mut self, path: impl AsRef<Path>) -> Options {
        self.path = Some(path.as_ref().to_owned());
        self
    }

    /// Sets the file name, to which `.pid` is added where it is missing (see
    /// [`dot_pid`](Options::dot_pid)). It cannot be combined with [`path`](Options::path).
    ///
    /// A name that is empty, contains `/`, or has more than 255 bytes is
    /// [`Config`](crate::Error::Config).
    ///
    /// Default: the last component of `argv[0]`, or else the file name of the executable.
    ///
    /// # Security
    ///
    /// The caller of a program chooses its `argv[0]`. After a privileged start (set-uid, set-gid
    /// or, on Linux, file capabilities) the default is the file name of the executable.
    pub fn name(mut self, name: impl AsRef<OsStr>) -> Options {
        self.name = Some(name.as_ref().to_owned());
        self
    }

    /// Sets the directory of the file. It cannot be combined with [`path`](Options::path) or
    /// [`temp_dir`](Options::temp_dir).
    ///
    /// Missing directories are created with mode 0755, less the umask, where no other user can
    /// interfere: in a directory that belongs to this user or root and that no other user can write
    /// to, or in a sticky one such as `/tmp`, where the new directory must turn out to be this
    /// user's. Anywhere else a missing directory is [`Insecure`](crate::Error::Insecure).
    ///
    /// Default: the first entry of `$RUNTIME_DIRECTORY`. Without that variable, the first of these
    /// that can be used: for root `/run` and `/var/run`; for other users `$XDG_RUNTIME_DIR`,
    /// `/run/user/UID`, `/run` and `/var/run`; and last the directory of
    /// [`temp_dir`](Options::temp_dir).
    ///
    /// A `RUNTIME_DIRECTORY` that is set but cannot be used is an error, because with a fallback
    /// two instances could run, each with its own file. The error is
    /// [`Config`](crate::Error::Config) for a relative path, [`Io`](crate::Error::Io) if the
    /// directory does not exist or this user cannot write to it, and
    /// [`Insecure`](crate::Error::Insecure) if another user controls it.
    ///
    /// # Security
    ///
    /// An existing directory is used as it is. Choose one that only this user, or root, can write
    /// to.
    ///
    /// `XDG_RUNTIME_DIR` is used only if it is the absolute path of a directory, not of a symbolic
    /// link, that belongs to this user or root and that no other user can write to. Because
    /// `RUNTIME_DIRECTORY` comes from the service manager, it may also lead through symbolic links
    /// made by root or this user (`DynamicUser=`) and be writable by its group (mode 0770). After a
    /// privileged start (set-uid, set-gid or, on Linux, file capabilities) the environment is the
    /// caller's, and both variables are ignored.
    ///
    /// The default depends on the user and the environment. Set `path` or `dir` for programs that
    /// must exclude each other when started by different users, or both from cron and from a login
    /// shell.
    pub fn dir(mut self, dir: impl AsRef<Path>) -> Options {
        self.dir = Some(dir.as_ref().to_owned());
        self
    }

    /// Sets whether `.pid` is added to [`name`](Options::name) where it is missing. This has no
    /// effect on [`path`](Options::path), which is taken as it is.
    ///
    /// Default: `true`.
    pub fn dot_pid(mut self, dot_pid: bool) -> Options {
        self.dot_pid = dot_pid;
        self
    }

    /// Sets whether to use `$TMPDIR/pidfile-UID`, a directory with mode 0700, instead of the
    /// run-time directory. It cannot be combined with [`dir`](Options::dir) or
    /// [`path`](Options::path).
    ///
    /// The directory is created if it is missing. If it belongs to another user, or any other user
    /// has access to it, the terminal call fails with [`Insecure`](crate::Error::Insecure).
    ///
    /// Default: `false`.
    ///
    /// # Security
    ///
    /// `TMPDIR` is used under the same conditions as `XDG_RUNTIME_DIR` (see [`dir`](Options::dir));
    /// otherwise `/tmp` is. Cleaners of `/tmp` remove old files even if they are locked, and so let
    /// a second instance in.
    pub fn temp_dir(mut self, temp_dir: bool) -> Options {
        self.temp_dir = temp_dir;
        self
    }

    /// Sets the exact permission bits of the file, whatever the umask. They must include `0o600`
    /// and none outside `0o664`; anything else is [`Config`](crate::Error::Config).
    ///
    /// Default: `0o644`.
    ///
    /// # Security
    ///
    /// Anyone who can read a stale file can lock it and block a start. On a machine shared with
    /// other users, use `0o600` or a private directory.
    pub fn chmod(mut self, mode: u32) -> Options {
        self.chmod = mode;
        self
    }

    /// Sets whether a kernel lock decides who holds the file. With `false`, only the recorded
    /// process id does: any other living process with that id blocks the start.
    ///
    /// The lock is an `flock`. A peer that locks the file with `fcntl` or `lockf` instead counts as
    /// a holder too.
    ///
    /// Use `false` on a file system without `flock`. It is best effort: two starts that replace the
    /// same stale file at the same moment may both succeed, and a new process that was given the
    /// recorded id blocks the start. Programs with and without the lock must not share a file.
    ///
    /// Default: `true`.
    ///
    /// # Platform-specific behavior
    ///
    /// On Linux, a peer that uses `fcntl` or `lockf` does not see an `flock` of this crate, except
    /// on file systems that turn one into the other, such as NFS.
    pub fn lock(mut self, lock: bool) -> Options {
        self.lock = lock;
        self
    }

    /// Sets whether a start is refused while the recorded process is alive, even if no process
    /// holds the lock, unless that process is provably another program. Use this while migrating
    /// from a program that does not lock its file.
    ///
    /// The proof is an executable with a different file name. A command name proves nothing,
    /// because a process can change its own.
    ///
    /// Default: `false`. If no process holds the lock the file is stale, whichever process it
    /// names.
    ///
    /// # Platform-specific behavior
    ///
    /// The executable is known on Linux with `/proc` only, and not for every process of another
    /// user. Where it is unknown, any living process with the recorded id blocks the start.
    pub fn refuse_live(mut self, refuse_live: bool) -> Options {
        self.refuse_live = refuse_live;
        self
    }

    /// Sets whether another acquire succeeds in the process that already holds the file. Dropping
    /// the second guard does nothing; releasing the first one removes the file.
    ///
    /// Default: `false`. The second acquire fails with [`Locked`](crate::Error::Locked), or with
    /// [`Running`](crate::Error::Running) under `lock(false)`, and names this process.
    pub fn allow_same_process(mut self, allow_same_process: bool) -> Options {
        self.allow_same_process = allow_same_process;
        self
    }

    /// Sets whether the file is removed when the process exits while it still holds the file:
    /// through `std::process::exit`, or because the guard was forgotten.
    ///
    /// Default: `true`.
    pub fn at_exit(mut self, at_exit: bool) -> Options {
        self.at_exit = at_exit;
        self
    }

    /// Sets whether the file is removed when SIGTERM, SIGINT, SIGHUP or SIGQUIT ends the process.
    /// The process still dies by that signal.
    ///
    /// Each acquire and adopt installs a handler for every one of these signals that has its
    /// default disposition at that moment. An ignored signal stays ignored, and a handler of the
    /// program stays in place.
    ///
    /// Default: `true`.
    pub fn signals(mut self, signals: bool) -> Options {
        self.signals = signals;
        self
    }

    /// Sets how long to wait for the holder to leave. `Duration::MAX`, or any time too long to be
    /// added to the clock, waits forever; zero does not wait.
    ///
    /// When the time is up, the call fails with the error that it would have returned at once,
    /// [`Locked`](crate::Error::Locked) or [`Running`](crate::Error::Running). A process that waits
    /// for a file it holds itself waits for the whole time, unless another thread releases it.
    ///
    /// The calling thread sleeps. In asynchronous code that would block the executor: call
    /// [`acquire`](Options::acquire) without `wait` instead, in a loop with the runtime's own
    /// sleep. Such a loop can be cancelled. The
    /// [cookbook](crate::docs::cookbook#wait-in-asynchronous-code) shows it.
    ///
    /// Default: no waiting.
    ///
    /// # Platform-specific behavior
    ///
    /// On Linux, a release wakes the waiter, and a process that had to wait keeps one `inotify`
    /// descriptor open from then on, because closing it takes the kernel milliseconds. Elsewhere,
    /// and where `inotify` is not available, the waiter tries again after 1 to 100 ms. With
    /// `lock(false)`, a holder that dies without cleaning up is noticed within half a second.
    pub fn wait(mut self, wait: Duration) -> Options {
        self.wait = Some(wait);
        self
    }
}
