//! `pidfile` makes sure that only one instance of your program runs at a time.
//!
//! A kernel lock on the pidfile decides which process that is. The file names the running process, and
//! is removed when the program ends.
//!
//! - Use the attribute [`#[pidfile]`](macro@pidfile) to hold a pidfile while a function runs, most often
//!   `main`.
//! - Use [`Options`] to decide at run time, or [`PidFile::acquire`] if a path is all you need.
//! - Use [`Options::reserve`] if the program forks into the background.
//! - Use [`status()`] to find out whether an instance is running.
//! - Use [`holder()`] to signal or stop the process that holds a file, and no other.
//!
//! ```no_run
//! use pidfile::pidfile;
//!
//! #[pidfile(path = "/run/thermod.pid", chmod = 0o600)]
//! fn main() {
//!     // Only one instance gets here.
//! }
//! ```
//!
//! By hand:
//!
//! ```no_run
//! let _held = pidfile::Options::new()
//!     .path("/run/thermod.pid")
//!     .chmod(0o600)
//!     .acquire()
//!     .unwrap_or_else(|error| error.exit());
//! // Only one instance gets here, as long as `_held` lives.
//! ```
//!
//! A second instance prints `thermod: /run/thermod.pid is held by process 4242 (thermod); ...` and exits
//! with status 75.
//!
//! # Chapters
//!
//! - [`docs::walkthrough`]: two terminals, from the first start to a crash
//! - [`docs::cookbook`]: daemons, privileges, one file per instance, axum, cron, tests
//! - [`docs::stopping`]: stop, reload, replace and upgrade a running instance
//! - [`docs::deploying`]: directories, systemd, containers, cron, file systems
//! - [`docs::cluster`]: one instance on several machines
//! - [`docs::troubleshooting`]: every message, and what to do about it
//! - [`docs::limits`]: what this crate cannot do
//! - [`docs::neighbours`]: flock, daemonize, monit and others on the same file
//! - [`docs::from_python`]: for users of Python's `pid`
//!
//! # Guarantees
//!
//! 1. **The lock decides, the number is a label.** The kernel releases an `flock` however a process
//!    dies, so a leftover file never blocks a start, and a running instance is never displaced.
//! 2. **The file appears complete and locked, or not at all.** No reader sees it empty, half written, or
//!    with the wrong mode. The exception is a file system where the locked file can be neither linked
//!    nor renamed: there it is empty for an instant.
//! 3. **Only its owner removes it, and only while it is still the same file.** That happens when the
//!    guard is dropped, when the process exits, and when SIGTERM, SIGINT, SIGHUP or SIGQUIT ends it. If
//!    the process never gets the chance (SIGKILL, power loss), the next start takes the stale file over.
//!
//! # Limits
//!
//! - Removing a held file lets a second instance in. Cleaners of `/tmp` do that, so keep pidfiles in
//!   `/run`. [`PidFile::verify`] reports it.
//! - The lock belongs to one kernel. Two hosts, or two containers with separate mounts, do not exclude
//!   each other.
//! - The default directory depends on the user and the environment. Set [`path`](Options::path) or
//!   [`dir`](Options::dir) where cron, login and sudo must exclude each other.
//! - A child that does not exec shares the lock until it ends.
//! - Closing every descriptor drops the lock.
//! - Anyone who can read a stale file can lock it and block a start. Use mode 0600 or a private directory.
//!
//! [`docs::limits`] has the rest.
//!
//! # Keep the guard
//!
//! The pidfile is held as long as the guard lives, so give it a name. These three compile without a
//! warning and hold nothing:
//!
//! ```no_run
//! # let options = pidfile::Options::new();
//! let _ = options.acquire();
//! if let Err(error) = options.acquire() {
//!     error.exit();
//! }
//! if options.acquire().is_err() {
//!     return;
//! }
//! ```
//!
//! # Terms
//!
//! The *record* is the content of the file, `"{pid}\n"`. The *holder* is the process that has the lock.
//! A file is *stale* when it exists and no process holds its lock exclusively; the next start *takes it
//! over*. The *guard* is the value that holds the file, [`PidFile`]. A *terminal call* ends a chain of
//! setters.
//!
//! # Platform-specific behavior
//!
//! On Linux the file is created without a name and then linked, so even SIGKILL in the middle of a start
//! leaves nothing behind. On macOS and the BSDs, and on file systems without `O_TMPFILE`, it first has a
//! hidden name, `.pidfile.PID.RANDOM`, which SIGKILL may leave behind. It blocks nothing. Program names
//! and zombies are known on Linux with `/proc` only.
//!
//! # Features
//!
//! - `macros` (default): the attribute [`#[pidfile]`](macro@pidfile).
//! - `tracing`: events under the target `pidfile`: taking over at level info, a failed cleanup at warn,
//!   everything else at debug.
//!
//! Without `macros` the build still compiles `syn`, once, for the derived [`Error`].

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(unix))]
compile_error!("pidfile supports Unix only, because it relies on flock, fork and signals");

// What a caller chooses.
mod options;

// From the options to a guard: resolve, draft, publish, open, lock, read, judge.
mod acquire;
mod directory;
mod draft;
mod hidden;
mod in_place;
mod inspect;
mod leftover;
mod lock;
mod locked;
mod lockers;
mod nameless;
mod open;
mod ownership;
mod path;
mod plan;
mod publication;
mod publish;
mod record;
mod replace;
mod retries;
mod run_time;
mod target;
mod verdict;
mod wait;

// What a caller gets.
mod action;
mod adopt;
mod debug;
mod error;
mod exit_code;
mod from_acquire_error;
mod guard;
mod hold;
mod holder;
mod message;
mod notice;
mod passing;
mod refusal;
mod reservation;
mod signal_number;
mod status;

// However the process ends: the registry of what to clean up.
mod cleanup;

// What all of them rely on.
mod deadline;
mod descriptor;
mod handle;
mod log;
mod process;
mod sys;

// What holds for every input; public for `fuzz/`, which is built with this set.
#[cfg(any(test, pidfile_fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use action::Action;
pub use cleanup::cleanup;
pub use error::{Error, Result};
pub use from_acquire_error::FromAcquireError;
pub use guard::PidFile;
pub use hold::Lost;
pub use holder::{Holder, holder};
pub use notice::Waiting;
pub use options::Options;
#[cfg(feature = "macros")]
pub use pidfile_macros::pidfile;
pub use reservation::Reservation;
pub use signal_number::Signal;
pub use status::{Status, status};

/// The chapters of the manual, which exist in the documentation only.
#[cfg(all(doc, not(doctest)))]
pub mod docs {
    // A chapter links to its neighbours as files, for readers in the repository. If a link is
    // defined twice the first definition counts, so the ones added here lead to the modules
    // instead.

    #[doc = include_str!("../docs/walkthrough.md")]
    pub mod walkthrough {}

    #[doc = include_str!("../docs/cookbook.md")]
    pub mod cookbook {}

    /// [cluster]: cluster
    /// [cluster]: cluster
    /// [cookbook]: cookbook
    /// [limits]: limits
    ///
    #[doc = include_str!("../docs/deploying.md")]
    pub mod deploying {}

    /// [deploying]: deploying
    /// [limits]: limits
    ///
    #[doc = include_str!("../docs/troubleshooting.md")]
    pub mod troubleshooting {}

    /// [cookbook]: cookbook
    /// [deploying]: deploying
    /// [neighbours]: neighbours
    ///
    #[doc = include_str!("../docs/limits.md")]
    pub mod limits {}

    /// [limits]: limits
    ///
    #[doc = include_str!("../docs/stopping.md")]
    pub mod stopping {}

    #[doc = include_str!("../docs/cluster.md")]
    pub mod cluster {}

    /// [stopping]: stopping
    ///
    #[doc = include_str!("../docs/neighbours.md")]
    pub mod neighbours {}

    /// [neighbours]: neighbours
    ///
    #[doc = include_str!("../docs/from-python.md")]
    pub mod from_python {}
}
