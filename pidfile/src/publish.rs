//! Give the draft its name, in the place of a stale file where there is one.
//!
//! A reader sees the finished file or none: the record, the mode and the lock
//! are there before the name is. The name is made by a link, which refuses to
//! replace what is there, and never by a rename, which does not.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::unistd::linkat;

use crate::action::Action;
use crate::cleanup::{Armed, Publishing};
use crate::draft::{Draft, Plan};
use crate::error::Result;
use crate::lock::Found;
use crate::sys::{self, FileId};
use crate::target::Target;

/// A file under its name, and the registry's entry for it.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) file: OwnedFd,
    pub(crate) id: FileId,
    /// Written into the file that was there, which stays at the end.
    pub(crate) in_place: bool,
    pub(crate) entry: Armed,
}

/// What came of an attempt to publish.
#[derive(Debug)]
pub(crate) enum Attempt {
    Published(Published),
    /// Somebody else has the name. The draft is kept for the next attempt, if there is one.
    Taken(Result<Draft>),
    /// The stale file cannot be removed; it is still there and still locked by us.
    InTheWay(Found),
}

/// Publishes a draft. A stale file is removed under its lock, which is kept until the new file
/// stands.
pub(crate) fn publish(mut draft: Draft, plan: &Plan, stale: Option<Found>) -> Result<Attempt> {
    let publishing = draft.arm(plan)?;
    let Some(found) = stale else {
        return link(draft, plan, publishing, None);
    };
    match remove_stale(&plan.target, &found) {
        Ok(true) => link(draft, plan, publishing, Some(found)),
        Ok(false) => {
            draft.disarm(publishing);
            Ok(Attempt::Taken(Ok(draft)))
        }
        Err(errno) => {
            draft.disarm(publishing);
            match errno {
                Errno::EACCES | Errno::EPERM | Errno::EBUSY | Errno::EROFS => {
                    Ok(Attempt::InTheWay(found))
                }
                _ => Err(plan.target.cannot(Action::Replace, errno)),
            }
        }
    }
}

/// The last step: the name appears.
fn link(
    mut draft: Draft,
    plan: &Plan,
    publishing: Publishing,
    stale: Option<Found>,
) -> Result<Attempt> {
    let target = &plan.target;
    let linked = match &draft.hidden {
        None => link_nameless(target, &draft.file, &target.name),
        Some(hidden) => link_hidden(target, &hidden.name, &target.name),
    };
    match linked {
        Ok(()) => Ok(Attempt::Published(finish(draft, plan, publishing))),
        Err(Errno::EEXIST) => {
            draft.disarm(publishing);
            Ok(Attempt::Taken(Ok(draft)))
        }
        Err(errno) if draft.hidden.is_some() || is_final(errno) => {
            draft.disarm(publishing);
            Err(target.cannot(Action::Publish, errno))
        }
        // No way to name a nameless file here: neither the call nor /proc.
        Err(_) => {
            draft.disarm(publishing);
            publish(Draft::make_hidden(plan)?, plan, stale)
        }
    }
}

/// The name is ours.
pub(crate) fn finish(draft: Draft, plan: &Plan, mut publishing: Publishing) -> Published {
    if draft.hidden.is_some() {
        publishing.rename(&plan.target.name, plan.ways);
    }
    let Draft { file, id, .. } = draft;
    Published {
        file: file.into(),
        id,
        in_place: false,
        entry: publishing.armed(),
    }
}

/// Whether a link fails in whatever way it is made; the others say that it cannot be made this way.
pub(crate) fn is_final(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EEXIST
            | Errno::ENOSPC
            | Errno::EDQUOT
            | Errno::EIO
            | Errno::EROFS
            | Errno::ENOMEM
            | Errno::ENAMETOOLONG
    )
}

/// Removes the stale file; `false` if somebody else has the name by now.
fn remove_stale(target: &Target, found: &Found) -> std::result::Result<bool, Errno> {
    // Between programs that lock, nobody can have moved it. Without the lock somebody may.
    match sys::id_of_name(target.dir.as_raw_fd(), &target.name) {
        Ok(id) if id != found.id() => return Ok(false),
        Err(Errno::ENOENT) => return Ok(true),
        Err(errno) => return Err(errno),
        Ok(_) => {}
    }
    match target.remove(&target.name) {
        Ok(()) | Err(Errno::ENOENT) => Ok(true),
        Err(errno) => Err(errno),
    }
}

#[cfg(target_os = "linux")]
pub(crate) fn link_nameless(
    target: &Target,
    file: &File,
    name: &CStr,
) -> std::result::Result<(), Errno> {
    use nix::fcntl::AT_FDCWD;

    // Open to everybody since Linux 6.10; before, ENOENT without CAP_DAC_READ_SEARCH.
    match linkat(file, "", &target.dir, name, AtFlags::AT_EMPTY_PATH) {
        Ok(()) => Ok(()),
        Err(errno) if is_final(errno) => Err(errno),
        Err(_) => {
            let path = format!("/proc/self/fd/{}", file.as_raw_fd());
            let follow = AtFlags::AT_SYMLINK_FOLLOW;
            linkat(AT_FDCWD, path.as_str(), &target.dir, name, follow)
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn link_nameless(_: &Target, _: &File, _: &CStr) -> std::result::Result<(), Errno> {
    Err(Errno::EOPNOTSUPP) // There are no nameless files to link.
}

/// Gives a hidden draft another name; `target.name`, or the one from which an adoption renames it.
pub(crate) fn link_hidden(
    target: &Target,
    hidden: &CStr,
    name: &CStr,
) -> std::result::Result<(), Errno> {
    let dir = &target.dir;
    match linkat(dir, hidden, dir, name, AtFlags::empty()) {
        Ok(()) => {
            // Ignored: the pidfile stands, and a second name for it blocks nobody.
            let _ = target.remove(hidden);
            Ok(())
        }
        Err(errno) if is_final(errno) => Err(errno),
        Err(errno) => rename_hidden(target, hidden, name).map_err(|second| match second {
            Errno::EEXIST => Errno::EEXIST,
            _ => errno,
        }),
    }
}

/// For file systems without links: the one rename that does not replace.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn rename_hidden(target: &Target, hidden: &CStr, name: &CStr) -> std::result::Result<(), Errno> {
    use nix::fcntl::{RenameFlags, renameat2};

    let dir = &target.dir;
    renameat2(dir, hidden, dir, name, RenameFlags::RENAME_NOREPLACE)
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn rename_hidden(_: &Target, _: &CStr, _: &CStr) -> std::result::Result<(), Errno> {
    Err(Errno::EOPNOTSUPP)
}
