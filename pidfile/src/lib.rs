//! Only one of me runs here: a pidfile that is locked, appears whole, and is gone when the program
//! ends.
//!
//! - Use the attribute [`#[pidfile]`](macro@pidfile) when a whole function, most often `main`, is to
//!   run once at a time.
//! - Use [`Options`] when you decide at run time, or [`PidFile::acquire`] when a path is all there
//!   is to say.
//! - Use [`Options::reserve`] when the program detaches and another process goes on.
//! - Use [`status()`] to ask who is there without taking part.
//!
//! ```no_run
//! use pidfile::pidfile;
//!
//! #[pidfile(path = "/run/thermod.pid", chmod = 0o600)]
//! fn main() {
//!     // Only one of us is here.
//! }
//! ```
//!
//! The same by hand:
//!
//! ```no_run
//! fn main() -> pidfile::Result<()> {
//!     let _held = pidfile::Options::new().path("/run/thermod.pid").chmod(0o600).acquire()?;
//!     // Only one of us is here.
//!     Ok(())
//! }
//! ```
//!
//! # Words
//!
//! The *record* is what the file contains, `"{pid}\n"`. The *holder* is the process that has the
//! lock. A file is *stale* when it is there and nobody holds its lock exclusively; the next start
//! *takes it over*, whoever it names. The *guard* is the value that stands for holding, [`PidFile`].
//! A *terminal call* is the one that ends a chain of setters. A process *reserves* for another one,
//! which *adopts*.
//!
//! # What is promised
//!
//! 1. **The kernel lock decides who runs; the number in the file is a label.** `flock` is released
//!    by the kernel however a process dies, so a leftover file never blocks a start and a living
//!    holder is never robbed. (`refuse_live` and `lock(false)` trust the number more, where somebody
//!    needs that.)
//! 2. **A pidfile appears whole and locked, or not at all.** No reader ever sees it empty, half
//!    written, or with a wrong mode. (The exception is a file whose directory cannot be written: it
//!    is written in place, empty for an instant before and empty afterwards.)
//! 3. **Only its owner removes it, only while it is still the same file, and losing that chance
//!    costs nothing.** The file goes when the guard is dropped, when the process exits, and when
//!    SIGTERM, SIGINT, SIGHUP or SIGQUIT ends it, with threads and across forks.
//!
//! # Limits
//!
//! - `abort`, `_exit`, SIGKILL and a power cut leave the file. It is stale, and the next start takes
//!   it over. Programs that end by `_exit` or `abort` call [`cleanup()`] before.
//! - A held file that somebody removes lets a second instance in; [`PidFile::verify`] tells.
//!   Cleaners of `/tmp` do that: keep pidfiles in `/run`.
//! - Between the last look at the name and its removal lies one instant: no system removes a name
//!   "if it still means this file". Only somebody who replaces a pidfile without having its lock
//!   can get between.
//! - A signal removes the file an instant before the process is dead. The next start may hold it
//!   while other threads of the dying process run their last instructions.
//! - The lock is the kernel's: two hosts on NFS, or two containers with separate mounts, are two
//!   machines.
//! - Who may read a stale file may lock it, and so refuse a start: where strangers share the machine
//!   use `chmod(0o600)` or a private directory.
//! - Closing all descriptors drops the lock. Workers that are forked and do not exec keep it after
//!   the daemon's death, until they end; a process that is exec'd inherits nothing.
//! - After a `chroot` the kept directory descriptor leads out of it. Where chroot is a security
//!   border, acquire inside.
//! - [`owner`](Options::owner) and [`uid`](Options::uid) need the right to give files away
//!   (`CAP_CHOWN`), and on Linux with `fs.protected_hardlinks` also `CAP_FOWNER`.
//! - A program that installs its own handler for a signal owns that signal: before us, ours is not
//!   installed; after us and chaining to ours (signal-hook, tokio), ours does nothing, and the file
//!   goes when the program exits. A C handler that chains to us and expects to die by that survives.
//!   `ctrlc::set_handler` works after us; `ctrlc::try_set_handler` refuses, because the disposition
//!   is not the default one any more: acquire with [`signals(false)`](Options::signals) then.
//! - A `cdylib` that has acquired a pidfile must not be unloaded with `dlclose`: its handlers stay.
//!
//! # Platform-specific behavior
//!
//! On Linux the file is made without a name and linked, so even SIGKILL in the middle of an acquire
//! leaves nothing. On macOS and the BSDs, and on file systems without `O_TMPFILE`, it has a hidden
//! name (`.pidfile.PID.RANDOM`) before; SIGKILL may leave that, and it blocks nobody. Facts about
//! other processes (zombies, program names) are known on Linux with `/proc` only.
//!
//! # Features
//!
//! - `macros` (default): the attribute.
//! - `tracing`: events for the log, at debug level what happens and at warn level a clean-up that
//!   was refused.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(not(unix))]
compile_error!("pidfile is for Unix: it stands on flock, fork and signals");

// The attribute's expansion says `::pidfile`, here too.
extern crate self as pidfile;

// What a caller chooses.
mod options;

// From the options to a guard: resolve, draft, publish, open, lock, read, judge.
mod acquire;
mod directory;
mod draft;
mod hidden;
mod in_place;
mod inspect;
mod lock;
mod lockers;
mod nameless;
mod open;
mod ownership;
mod path;
mod plan;
mod publication;
mod publish;
mod record;
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
mod from_acquire_error;
mod guard;
mod hold;
mod message;
mod reservation;
mod status;

// However the process ends.
mod cleanup;

// What all of them stand on.
mod descriptor;
mod log;
mod process;
mod sys;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use action::Action;
pub use cleanup::cleanup;
pub use error::{Error, Result};
pub use from_acquire_error::FromAcquireError;
pub use guard::PidFile;
pub use hold::Lost;
pub use options::Options;
#[cfg(feature = "macros")]
pub use pidfile_macros::pidfile;
pub use reservation::Reservation;
pub use status::{Status, status};

#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../../README.md")]
struct Readme;
