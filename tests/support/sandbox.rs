//! A folder for one test, gone with it.

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::system::deadline;
use super::{Program, Snapshot, holder};

/// Locked for reading by every test that has a sandbox, and for writing by a test that changes the
/// whole machine.
static MACHINE: RwLock<()> = RwLock::new(());

thread_local! {
    /// A second read lock on the same thread could wait forever behind a writer.
    static TAKEN: Cell<bool> = const { Cell::new(false) };

    /// Tells the watchdog of this thread's test that it goes on.
    static PROGRESS: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// A folder, private at first. A test has one, so that a test can run alone.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    path: PathBuf,
    _machine: Share,
}

#[derive(Debug)]
#[allow(dead_code, reason = "held, never read")]
enum Share {
    Together(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Sandbox {
    pub(crate) fn new() -> Sandbox {
        Sandbox::with(|| Share::Together(MACHINE.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// A sandbox while no other test runs that has one.
    pub(crate) fn alone() -> Sandbox {
        Sandbox::with(|| Share::Alone(MACHINE.write().unwrap_or_else(PoisonError::into_inner)))
    }

    fn with(share: impl FnOnce() -> Share) -> Sandbox {
        assert!(!TAKEN.replace(true), "a test has one sandbox");
        let machine = share();
        let folder = tempfile::tempdir().expect("a temporary folder");
        // The library reports the path it was given; the folder may have another name.
        let path = folder.path().canonicalize().expect("the folder is there");
        PROGRESS.set(Some(watchdog()));
        Sandbox {
            folder,
            path,
            _machine: machine,
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The pidfile that most tests are about.
    pub(crate) fn pidfile(&self) -> PathBuf {
        self.path("it.pid")
    }

    /// A file with these bytes.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file in the sandbox");
        path
    }

    /// A folder with this mode, whatever the umask.
    pub(crate) fn folder(&self, name: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::create_dir(&path).expect("a folder in the sandbox");
        set_mode(&path, mode);
        path
    }

    /// Every name in the sandbox itself, in order.
    #[track_caller]
    pub(crate) fn names(&self) -> Vec<OsString> {
        names(&self.path)
    }

    /// That the sandbox holds these names and nothing else.
    #[track_caller]
    pub(crate) fn assert_names<const N: usize>(&self, expected: [&str; N]) {
        assert_eq!(
            self.names(),
            expected.map(OsString::from),
            "what is in the folder"
        );
    }

    /// A process that holds the pidfile until it is told to go on or killed.
    #[track_caller]
    pub(crate) fn hold(&self) -> Program {
        let mut program = holder(self.pidfile()).steps("acquire wait").start();
        program.expect_held(&self.pidfile());
        program
    }

    /// A holder that was killed while a worker that it forked keeps the lock. The worker ends when
    /// the holder is let go.
    #[track_caller]
    pub(crate) fn hold_by_a_worker(&self) -> Program {
        let steps = "acquire fork=say:working,wait wait";
        let mut daemon = holder(self.pidfile()).steps(steps).start();
        daemon.expect_held(&self.pidfile());
        daemon.expect("working");
        daemon.end(Some(Signal::SIGKILL));
        daemon
    }

    /// That the next start holds, and leaves nothing when it ends.
    #[track_caller]
    pub(crate) fn assert_next_start_works(&self) {
        let mut program = self.hold();
        let record = Snapshot::of(self.pidfile()).bytes;
        assert_eq!(
            String::from_utf8_lossy(&record),
            format!("{}\n", program.pid())
        );
        assert!(super::is_locked(&self.pidfile()));
        program.tell();
        assert!(program.wait().success());
        assert!(!self.pidfile().exists(), "the next holder removes its file");
    }

    /// Lets other users into the folder, with a copy of `holder` that they can start: they may not be
    /// able to reach the one that was built.
    pub(crate) fn open_to_all(&self) -> PathBuf {
        self.copy_for_all(env!("CARGO_BIN_EXE_holder").as_ref())
    }

    /// The same with a copy of another program.
    pub(crate) fn copy_for_all(&self, original: &Path) -> PathBuf {
        set_mode(&self.path, 0o755);
        let bin = self.path("bin");
        if !bin.exists() {
            self.folder("bin", 0o755);
        }
        let program = bin.join(original.file_name().expect("a program"));
        // Not `fs::copy`: a fork of another test could keep our descriptor for writing open, and
        // the program could then not be started.
        let copied = Command::new("cp").args([original, &program]).status();
        assert!(copied.expect("cp").success());
        program
    }
}

/// Aborts everything if the test makes no progress: a call of this process that hangs would block
/// forever. What the test waits for has a shorter deadline.
fn watchdog() -> Sender<()> {
    let longest = deadline() * 8;
    let (sender, steps) = channel();
    let test = thread::current().name().unwrap_or_default().to_owned();
    thread::spawn(move || {
        loop {
            match steps.recv_timeout(longest) {
                Ok(()) => {}
                // The sandbox is gone.
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("{test} hangs");
                    std::process::abort();
                }
            }
        }
    });
    sender
}

/// Reports that the test of this thread goes on. What counts is that a program started, spoke or
/// ended, so that a long test need not be fast.
pub(crate) fn progress() {
    PROGRESS.with_borrow(|sender| {
        if let Some(sender) = sender {
            // Fails if the watchdog is gone, which is then no business of the test.
            let _ = sender.send(());
        }
    });
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // An ordinary user cannot empty a folder that a test made unwritable.
        for entry in fs::read_dir(self.folder.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                // Ignored: `TempDir` reports nothing about it either.
                let _ = fs::set_permissions(entry.path(), Permissions::from_mode(0o700));
            }
        }
        PROGRESS.set(None);
        TAKEN.set(false);
    }
}

#[track_caller]
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("chmod");
}

#[track_caller]
pub(crate) fn names(dir: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    names
}
