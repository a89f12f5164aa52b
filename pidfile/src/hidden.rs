//! Publish where every file needs a name from the beginning.
//!
//! The file is created under a hidden name, and then gets its own. The lock
//! must hold under the new name too, and that is not certain: on 9p and on many
//! FUSE file systems (sshfs, bindfs, mergerfs) a hard link is another file to
//! the kernel, even if both names show the same inode. So each way is tried out
//! first, between two hidden names that no other process uses. Under the real
//! name the result would not be certain, because a refusal might come from the
//! lock of a competitor. The ways, in order of preference:
//!
//! 1. A link, if both names share the lock.
//! 2. A rename that does not replace, if the lock follows it.
//! 3. Otherwise the file is created under its own name at once, and a reader
//!    may see it empty for an instant.
//!
//! All of this happens with signals blocked, so only SIGKILL can leave a hidden
//! file behind.

use std::collections::hash_map::RandomState;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::hash::{BuildHasher, Hasher};
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::linkat;

use crate::action::Action;
use crate::cleanup::Publishing;
use crate::descriptor::{Numbers, create_at, open_at};
use crate::draft::{self, Draft, Finished};
use crate::error::{Error, Result};
use crate::leftover;
use crate::open::Found;
use crate::plan::Plan;
use crate::publication::{Publication, make_way};
use crate::record::Record;
use crate::sys::{self, FileId, LockKind};
use crate::target::Target;

/// How many random hidden names to try.
const NAMES: usize = 16;

/// How a hidden file gets its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Link,
    Rename,
    OwnName,
}

/// A name of a file of ours, removed when it is dropped.
struct Litter<'a> {
    target: &'a Target,
    name: CString,
    id: FileId,
}

impl Drop for Litter<'_> {
    fn drop(&mut self) {
        // A link that was renamed or never made is not found, and that is fine.
        self.target.remove_litter(&self.name, self.id);
    }
}

/// Creates a file and publishes it. A stale file is removed under its lock, which is kept until the
/// new file has the name.
pub(crate) fn publish(plan: &Plan, stale: Option<Found>) -> Result<Publication> {
    let target = &plan.target;
    let (publishing, name, file) = match create(plan)? {
        Ok(created) => created,
        Err(refusal) => return Ok(Publication::Refused(refusal, stale)),
    };
    let id = identify(target, &publishing, &name, &file)?;
    // Declared after `publishing`, so that it is dropped while signals are still blocked.
    let hidden = Litter { target, name, id };
    if let Err(refusal) = lock_and_write(plan, &file) {
        return Ok(Publication::Refused(refusal, stale));
    }
    let way = find_way(plan, &hidden)?;
    let draft = draft::give_away(plan, file)?;
    match make_way(target, stale.as_ref()) {
        Ok(true) => {}
        Ok(false) => return Ok(Publication::Taken(Draft::Hidden)),
        Err(errno) => {
            return Ok(Publication::Refused(
                target.cannot(Action::Replace, errno),
                stale,
            ));
        }
    }
    let named = match way {
        Way::Link => link(target, &hidden.name, &target.name),
        Way::Rename => sys::rename_no_replace(target.dir.as_raw_fd(), &hidden.name, &target.name),
        Way::OwnName => {
            drop(hidden);
            drop(draft);
            return own_name(plan, publishing);
        }
    };
    match named {
        // A call may succeed and yet report a failure, if a server's reply is lost.
        Err(errno) if !target.is_named(&target.name, id) => match errno {
            Errno::EEXIST => Ok(Publication::Taken(Draft::Hidden)),
            _ => Err(target.cannot(Action::Publish, errno)),
        },
        Ok(()) | Err(_) => {
            publishing.rename(&target.name);
            drop(hidden);
            Ok(Publication::Published(draft.published(publishing)))
        }
    }
}

/// Creates an empty file under a hidden name, which is entered into the registry first. The inner
/// error is one that taking over an existing file may avoid.
#[allow(
    clippy::type_complexity,
    reason = "the three values are together for four lines only"
)]
fn create(plan: &Plan) -> Result<std::result::Result<(Publishing, CString, File), Error>> {
    let target = &plan.target;
    let mut failure = Errno::EEXIST;
    for _ in 0..NAMES {
        let name = hidden_name(plan.terms.pid);
        let publishing = plan.arm(Numbers::UNKNOWN, &name)?;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        match create_at(&target.dir, &name, mode) {
            Ok(file) => return Ok(Ok((publishing, name, file.into()))),
            Err(errno) => {
                // The file may exist although its creation was reported as a failure, or as
                // interrupted, after which a second attempt finds it. The name is random, so
                // whatever has it is ours.
                let _ = target.remove(&name);
                failure = errno;
                if errno != Errno::EEXIST {
                    break;
                }
            }
        }
    }
    Ok(Err(target.cannot(Action::Create, failure)))
}

/// Completes the registry's entry for a file that was just created.
fn identify(target: &Target, publishing: &Publishing, name: &CStr, file: &File) -> Result<FileId> {
    let identified = sys::stat(file.as_raw_fd()).and_then(|stat| {
        // The umask may deny us access, and the file will be opened once more.
        let ours = Mode::S_IRUSR | Mode::S_IWUSR;
        if stat.mode & ours.bits() != ours.bits() {
            sys::retry(|| fchmod(file, ours))?;
        }
        Ok(stat.id)
    });
    match identified {
        Ok(id) => {
            publishing.identify(Numbers::of(&target.dir, file, id));
            Ok(id)
        }
        Err(errno) => {
            // The file is certainly ours, because O_EXCL created it. Ignored: the failure itself is
            // reported.
            let _ = target.remove(name);
            Err(target.cannot(Action::Inspect, errno))
        }
    }
}

fn lock_and_write(plan: &Plan, file: &File) -> Result<()> {
    if plan.terms.lock {
        // Linux reports a refused lock as EACCES there, and a file that was renamed while it is open
        // may not be found by its new name. Then a second start would find the path free.
        if sys::is_on_cifs(file.as_raw_fd()) {
            return Err(plan.target.unsupported());
        }
        sys::flock(file.as_raw_fd(), LockKind::Exclusive)
            .map_err(|errno| plan.target.cannot_lock(errno))?;
    }
    draft::write(plan, file)
}

/// Tries out how the file can get another name and keep its lock.
fn find_way(plan: &Plan, hidden: &Litter<'_>) -> Result<Way> {
    let target = &plan.target;
    let keeps_lock = |name: &CStr| -> Result<bool> {
        if plan.terms.lock {
            is_locked(target, name)
        } else {
            Ok(true)
        }
    };
    if !keeps_lock(&hidden.name)? {
        return Err(target.unsupported());
    }
    let second = Litter {
        target,
        name: hidden_name(plan.terms.pid),
        id: hidden.id,
    };
    if link(target, &hidden.name, &second.name).is_ok() {
        let keeps = keeps_lock(&second.name);
        // The other name may show another inode, but is ours nevertheless.
        let _ = target.remove(&second.name);
        if keeps? {
            return Ok(Way::Link);
        }
    }
    let dir = target.dir.as_raw_fd();
    if sys::rename_no_replace(dir, &hidden.name, &second.name).is_ok() {
        let follows = keeps_lock(&second.name);
        if sys::rename_no_replace(dir, &second.name, &hidden.name).is_ok() && follows? {
            return Ok(Way::Rename);
        }
    }
    Ok(Way::OwnName)
}

/// Whether a file that we have locked is also locked for a process that opens it by this name.
pub(crate) fn is_locked(target: &Target, name: &CStr) -> Result<bool> {
    let flags = OFlag::O_RDWR | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let probe = open_at(&target.dir, name, flags, Mode::empty())
        .map_err(|errno| target.cannot(Action::Open, errno))?;
    match sys::flock(probe.as_raw_fd(), LockKind::Shared) {
        Err(Errno::EWOULDBLOCK) => Ok(true),
        Ok(()) => Ok(false),
        Err(errno) => Err(target.cannot_lock(errno)),
    }
}

fn link(target: &Target, old: &CStr, new: &CStr) -> nix::Result<()> {
    sys::retry(|| linkat(&target.dir, old, &target.dir, new, AtFlags::empty()))
}

/// The last resort: creates the file under its own name.
///
/// Between its creation and its lock, another start may open the file, lock it, and find it empty
/// and thus stale. Then that process is the holder.
fn own_name(plan: &Plan, publishing: Publishing) -> Result<Publication> {
    let target = &plan.target;
    publishing.rename(&target.name);
    match create_under(plan, &publishing, &target.name)? {
        Some(draft) => Ok(Publication::Published(draft.published(publishing))),
        None => Ok(Publication::Taken(Draft::Hidden)),
    }
}

/// Creates the finished file under the name that it keeps. `None` if the name is taken, or if
/// another process was faster to lock the new file.
pub(crate) fn create_under(
    plan: &Plan,
    publishing: &Publishing,
    name: &CStr,
) -> Result<Option<Finished>> {
    let target = &plan.target;
    let mode = Mode::S_IRUSR | Mode::S_IWUSR;
    let file = match create_at(&target.dir, name, mode) {
        Ok(file) => File::from(file),
        Err(Errno::EEXIST) => return Ok(None),
        Err(errno) => {
            // The file may be there although its creation was reported as a failure. It is empty
            // then, and so it is stale, whoever has made it. Ignored: the failure is reported.
            let _ = leftover::remove(target, name, |record| *record == Record::Empty);
            return Err(target.cannot(Action::Create, errno));
        }
    };
    let id = identify(target, publishing, name, &file)?;
    if plan.terms.lock {
        match sys::flock(file.as_raw_fd(), LockKind::Exclusive) {
            Ok(()) => {}
            // It is up to the other process to remove it.
            Err(Errno::EWOULDBLOCK) => return Ok(None),
            Err(errno) => {
                target.remove_litter(name, id);
                return Err(target.cannot_lock(errno));
            }
        }
    }
    let litter = Litter {
        target,
        name: name.to_owned(),
        id,
    };
    if plan.terms.lock {
        let has_name = || match target.stat_at(name) {
            Ok(stat) => Ok(stat.id == id),
            Err(Errno::ENOENT) => Ok(false),
            Err(errno) => Err(target.cannot(Action::Inspect, errno)),
        };
        if !has_name()? {
            return Ok(None);
        }
        match is_locked(target, name) {
            Ok(true) => {}
            // The name may have been removed meanwhile, and mean another file by now.
            _ if !has_name()? => return Ok(None),
            Ok(false) => return Err(target.unsupported()),
            Err(error) => return Err(error),
        }
    }
    draft::write(plan, &file)?;
    let draft = draft::give_away(plan, file)?;
    std::mem::forget(litter);
    Ok(Some(draft))
}

/// `.pidfile.PID.RANDOM`. The random part distinguishes a process from an earlier one with the same
/// id. It need not be secret, because `O_EXCL` refuses an existing file.
fn hidden_name(pid: u32) -> CString {
    let random = RandomState::new().build_hasher().finish();
    // Digits and letters contain no NUL.
    CString::new(format!(".pidfile.{pid}.{random:016x}")).unwrap_or_default()
}
