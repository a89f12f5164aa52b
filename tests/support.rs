//! What the tests share: a folder for each, programs that die with their test, and facts about files
//! and processes.
//!
//! Nothing here knows how a pidfile works. What a test claims about one comes from the system:
//! bytes, inodes, locks, statuses.

mod build;
mod facts;
#[cfg(target_os = "linux")]
mod mounts;
mod outside;
mod program;
mod refusal;
mod sandbox;
mod script;
#[cfg(target_os = "linux")]
mod stepping;
mod storm;
mod stranger;
mod system;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) mod tracer;

pub(crate) use build::{WORKSPACE, cargo, cc, target_dir, two_copies, write_crate};
pub(crate) use facts::{Snapshot, is_locked, is_tmpfile_supported, lock};
#[cfg(target_os = "linux")]
pub(crate) use mounts::{Mount, has_program};
pub(crate) use outside::{IN_VAIN, PATIENCE, assert_nobody, found};
pub(crate) use program::Program;
pub(crate) use refusal::Refusal;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use sandbox::progress;
pub(crate) use sandbox::{Sandbox, names, set_mode};
pub(crate) use script::{Script, holder};
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use stepping::Call;
#[cfg(target_os = "linux")]
pub(crate) use stepping::Stepped;
pub(crate) use storm::storm;
pub(crate) use stranger::Stranger;
#[cfg(target_os = "linux")]
pub(crate) use system::deadline;
pub(crate) use system::{
    UNSHARE, WITHOUT_WIPING, a_moment, can_unshare, dead_process, descriptors, eventually, is_root,
    needs, zombie,
};

/// An ordinary user (and group) that nothing on the machine belongs to, and another one.
pub(crate) const USER: u32 = 64_001;
pub(crate) const OTHER_USER: u32 = 64_002;

/// The error of an acquire that must not succeed.
#[track_caller]
pub(crate) fn refused(result: pidfile::Result<pidfile::PidFile>) -> pidfile::Error {
    match result {
        Err(error) => error,
        Ok(guard) => panic!("{} was acquired", guard.path().display()),
    }
}
