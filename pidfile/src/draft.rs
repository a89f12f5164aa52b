//! Draft a complete, locked file that does not have its name yet.
//!
//! Linux can create a file without any name (`O_TMPFILE`), so that even SIGKILL
//! leaves nothing behind. Other systems and some file systems cannot; there the
//! file is created under a [hidden](crate::hidden) name, when it is published.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;

use crate::action::Action;
use crate::error::Result;
use crate::plan::Plan;
use crate::record;
use crate::sys::{self, FileId, LockKind};

/// A file that does not have its name yet.
#[derive(Debug)]
pub(crate) enum Draft {
    /// Finished, and without a name.
    Nameless(Finished),
    /// To be created under a hidden name.
    Hidden,
}

/// A locked file with its record, owner and mode.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) file: File,
    pub(crate) id: FileId,
}

impl Draft {
    /// Creates the file, if that is possible without a name.
    pub(crate) fn make(plan: &Plan) -> Result<Draft> {
        match nameless(plan) {
            Ok(file) => finish(plan, file).map(Draft::Nameless),
            // The file system or the operating system cannot create such a file.
            Err(Errno::EOPNOTSUPP | Errno::EISDIR | Errno::ENOENT) => Ok(Draft::Hidden),
            Err(errno) => Err(plan.target.cannot(Action::Create, errno)),
        }
    }
}

#[cfg(target_os = "linux")]
fn nameless(plan: &Plan) -> nix::Result<File> {
    use nix::fcntl::OFlag;

    use crate::descriptor::open_at;

    let flags = OFlag::O_TMPFILE | OFlag::O_RDWR;
    open_at(&plan.target.dir, ".", flags, plan.terms.ownership.mode).map(File::from)
}

#[cfg(not(target_os = "linux"))]
fn nameless(_: &Plan) -> nix::Result<File> {
    Err(Errno::EOPNOTSUPP)
}

/// Locks a new file, writes its record, and gives it its owner and mode.
fn finish(plan: &Plan, file: File) -> Result<Finished> {
    if plan.terms.lock {
        sys::flock(file.as_raw_fd(), LockKind::Exclusive)
            .map_err(|errno| plan.target.cannot_lock(errno))?;
    }
    write(plan, &file)?;
    give_away(plan, file)
}

/// Writes the record of a new file, at a fixed offset, because a write that is reported as
/// interrupted and was not would otherwise be followed by a second record.
pub(crate) fn write(plan: &Plan, file: &File) -> Result<()> {
    file.write_all_at(record::render(plan.terms.pid).as_bytes(), 0)
        .map_err(|source| plan.target.failed(Action::Write, source))
}

/// Gives a file its owner and mode. After that we may no longer be allowed to open it.
pub(crate) fn give_away(plan: &Plan, file: File) -> Result<Finished> {
    let target = &plan.target;
    let stat =
        sys::stat(file.as_raw_fd()).map_err(|errno| target.cannot(Action::Inspect, errno))?;
    plan.terms
        .ownership
        .apply(&file, &stat)
        .map_err(|(action, errno)| target.cannot(action, errno))?;
    Ok(Finished { file, id: stat.id })
}
