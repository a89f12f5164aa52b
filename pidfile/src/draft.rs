//! Draft a whole, locked file that does not have its name yet, after a `Plan`
//! that says what is wanted and where.
//!
//! Linux makes a file without any name (`O_TMPFILE`). Elsewhere, and on file
//! systems that cannot, the draft has a hidden name for the time being; it is
//! then entered into the clean-up registry like a published file, so that a
//! signal leaves no litter.

use std::collections::hash_map::RandomState;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat};

use crate::action::Action;
use crate::cleanup::{self, Armed, Publishing, Ways};
use crate::descriptor::{Held, open_at};
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::record;
use crate::sys::{self, FileId, LockKind};
use crate::target::Target;

/// How often a random hidden name may be taken already.
const NAMES: usize = 16;

/// What is to be published, and where.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) ownership: Ownership,
    pub(crate) pid: u32,
    pub(crate) lock: bool,
    pub(crate) ways: Ways,
}

/// A finished file that does not have its name yet.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The first field, so that it is dropped while `file` is still open: a name is removed only as
    /// long as its descriptor proves whose it is.
    pub(crate) hidden: Option<Hidden>,
    pub(crate) file: File,
    pub(crate) id: FileId,
}

/// The name of a draft that cannot do without one. Dropped, the name is removed.
#[derive(Debug)]
pub(crate) struct Hidden {
    pub(crate) name: CString,
    /// `None` only while it is being published.
    entry: Option<Armed>,
}

impl Plan {
    /// Enters the file into the registry, under the name that it is about to get.
    pub(crate) fn arm(&self, held: Held, name: &CStr, ways: Ways) -> Result<Publishing> {
        cleanup::arm(self.pid, held, name, ways).map_err(|errno| self.ending(errno))
    }

    /// The process ends on another thread.
    fn ending(&self, errno: Errno) -> Error {
        self.target.cannot(Action::Publish, errno)
    }
}

impl Draft {
    /// Makes the whole file: locked, written, with its owner and mode.
    pub(crate) fn make(plan: &Plan) -> Result<Draft> {
        match nameless(plan) {
            Ok(file) => finish(plan, file, None),
            // The file system, or the system, cannot make such a file.
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::ENOENT) => Draft::make_hidden(plan),
            Err(errno) => Err(plan.target.cannot(Action::Create, errno)),
        }
    }

    /// The same under a hidden name.
    pub(crate) fn make_hidden(plan: &Plan) -> Result<Draft> {
        let target = &plan.target;
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let mut failure = Errno::EEXIST;
        for _ in 0..NAMES {
            let name = hidden_name(plan.pid);
            // Armed before the file exists. Its inode is not known yet, but no handler looks at
            // the entry before `armed`, and an entry that is dropped before removes nothing.
            let publishing = plan.arm(Held::UNKNOWN, &name, plan.ways.of_draft())?;
            let file = match open_at(&target.dir, name.as_c_str(), flags, mode) {
                Ok(file) => File::from(file),
                Err(Errno::EEXIST) => continue,
                Err(errno) => {
                    failure = errno;
                    break;
                }
            };
            let id = match fstat(&file) {
                Ok(stat) => FileId::from(&stat),
                Err(errno) => {
                    // Ours without doubt: O_EXCL has made it. Ignored: the failure is reported.
                    let _ = target.remove(&name);
                    return Err(target.cannot(Action::Inspect, errno));
                }
            };
            publishing.identify(Held::of(&target.dir, &file, id));
            let entry = Some(publishing.armed());
            return finish(plan, file, Some(Hidden { name, entry }));
        }
        Err(target.cannot(Action::Create, failure))
    }

    /// Enters the draft into the registry as a file that is about to get the target's name.
    pub(crate) fn arm(&mut self, plan: &Plan) -> Result<Publishing> {
        let Some(hidden) = &mut self.hidden else {
            let held = Held::of(&plan.target.dir, &self.file, self.id);
            return plan.arm(held, &plan.target.name, plan.ways);
        };
        match hidden.entry.take() {
            Some(entry) => entry.publishing().map_err(|errno| plan.ending(errno)),
            None => Err(plan.ending(Errno::ECANCELED)),
        }
    }

    /// It did not get the name: a nameless draft leaves the registry, a hidden one goes back to it.
    pub(crate) fn disarm(&mut self, publishing: Publishing) {
        if let Some(hidden) = &mut self.hidden {
            hidden.entry = Some(publishing.armed());
        }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take() {
            // Ignored: the outcome of the acquire counts, and what cannot be removed is litter
            // that blocks nobody.
            let _ = entry.scrub();
        }
    }
}

#[cfg(target_os = "linux")]
fn nameless(plan: &Plan) -> std::result::Result<File, Errno> {
    let flags = OFlag::O_TMPFILE | OFlag::O_RDWR;
    open_at(&plan.target.dir, ".", flags, plan.ownership.mode).map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Plan) -> std::result::Result<File, Errno> {
    Err(Errno::EOPNOTSUPP)
}

fn finish(plan: &Plan, mut file: File, hidden: Option<Hidden>) -> Result<Draft> {
    let target = &plan.target;
    if plan.lock {
        sys::flock(file.as_raw_fd(), LockKind::Exclusive)
            .map_err(|errno| target.cannot_lock(errno))?;
    }
    file.write_all(record::render(plan.pid).as_bytes())
        .map_err(|source| target.failed(Action::Write, source))?;
    let stat = fstat(&file).map_err(|errno| target.cannot(Action::Inspect, errno))?;
    plan.ownership
        .apply(&file, &stat)
        .map_err(|(action, errno)| target.cannot(action, errno))?;
    Ok(Draft {
        file,
        id: FileId::from(&stat),
        hidden,
    })
}

/// `.pidfile.PID.RANDOM`. The random part keeps a process apart from one that had its number; it
/// is no secret, `O_EXCL` refuses what a stranger put there.
fn hidden_name(pid: u32) -> CString {
    let random = RandomState::new().build_hasher().finish();
    CString::new(format!(".pidfile.{pid}.{random:016x}")).unwrap_or_default()
}
