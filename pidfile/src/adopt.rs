//! Adopt: after a fork, replace the file with one that only this process has
//! locked.
//!
//! A lock that was taken before a fork is shared by both processes, and either
//! can release it. So the process that stays creates a file of its own, locks
//! it, and renames it over the old one. The name is never absent, and a process
//! that has the old file open sees that the name has moved.
//!
//! A file without a name cannot be renamed, so it gets the name `.NAME.adopt`
//! first. That name is a mutex: of several processes that share a reservation,
//! only the one that created it adopts. An adoption that is killed leaves it
//! [behind](crate::leftover), and the next one, take-over or reservation removes
//! it.

use std::ffi::{CStr, CString};
use std::hash::{DefaultHasher, Hasher};

use nix::errno::Errno;
use nix::fcntl::renameat;
use nix::unistd::Uid;

use crate::action::Action;
use crate::cleanup::Publishing;
use crate::descriptor::Numbers;
use crate::draft::{Draft, Finished};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::publication::Published;
use crate::record::Record;
use crate::sys::{self, FileId};
use crate::target::{Target, kind_of};
use crate::{hidden, leftover, nameless, process};

/// Publishes a new file under the name of the old one, whose lock the caller shares.
///
/// # Errors
///
/// `Lost`: the name no longer means the old file. Several processes may share its lock, and only
/// the first of them adopts.
pub(crate) fn replace(plan: &Plan, old: FileId) -> Result<Published> {
    let target = &plan.target;
    let step = stepping_stone(&target.name);
    let (publishing, draft) = place(plan, &step)?;
    if rename(target, &step, draft.id, old)? {
        publishing.rename(&target.name);
        return Ok(draft.published(publishing));
    }
    target.remove_litter(&step, draft.id);
    Err(Error::lost(&target.path))
}

/// Creates the new file under the name from which it can be renamed.
fn place(plan: &Plan, step: &CStr) -> Result<(Publishing, Finished)> {
    let target = &plan.target;
    if let Draft::Nameless(draft) = Draft::make(plan)? {
        let publishing = plan.arm(Numbers::of(&target.dir, &draft.file, draft.id), step)?;
        let link = || match nameless::link(target, &draft.file, step) {
            // A call may succeed and yet report a failure, if a server's reply is lost.
            Err(_) if target.is_named(step, draft.id) => Ok(()),
            linked => linked,
        };
        let linked = match link() {
            Err(Errno::EEXIST) => {
                clear(target, step)?;
                link()
            }
            linked => linked,
        };
        match linked {
            Ok(()) => return Ok((publishing, draft)),
            Err(Errno::EEXIST) => return Err(Error::lost(&target.path)), // A sibling is adopting.
            Err(_) => {} // A nameless file cannot be given a name here.
        }
    }
    let publishing = plan.arm(Numbers::UNKNOWN, step)?;
    let mut created = hidden::create_under(plan, &publishing, step)?;
    if created.is_none() {
        clear(target, step)?;
        created = hidden::create_under(plan, &publishing, step)?;
    }
    match created {
        Some(draft) => Ok((publishing, draft)),
        None => Err(Error::lost(&target.path)), // A sibling is adopting.
    }
}

/// Renames the new file over the old one. Returns `false` if one of them has lost its name.
fn rename(target: &Target, step: &CStr, new: FileId, old: FileId) -> Result<bool> {
    let names = |name: &CStr, id| match target.stat_at(name) {
        Ok(stat) => Ok(stat.id == id),
        Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno),
    };
    let renamed = names(&target.name, old)
        .and_then(|is_old| Ok(is_old && names(step, new)?))
        .and_then(|may_be_renamed| {
            if !may_be_renamed {
                return Ok(false);
            }
            let (dir, name) = (&target.dir, target.name.as_c_str());
            match sys::retry(|| renameat(dir, step, dir, name)) {
                Err(errno) if !target.is_named(&target.name, new) => Err(errno),
                // It may have succeeded and yet reported a failure.
                Ok(()) | Err(_) => Ok(true),
            }
        });
    renamed.map_err(|errno| {
        target.remove_litter(step, new);
        target.cannot(Action::Publish, errno)
    })
}

/// Makes room for a new stepping stone by removing what a killed adoption left behind.
///
/// # Errors
///
/// The name belongs to a file that is not ours to remove, or the system refused.
fn clear(target: &Target, step: &CStr) -> Result<()> {
    let removed = remove_leftover(target);
    let path = || {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        target
            .path
            .with_file_name(OsStr::from_bytes(step.to_bytes()))
    };
    // If it is gone, or cannot be asked about, the next attempt to make it decides.
    let Ok(stat) = target.stat_at(step) else {
        return Ok(());
    };
    let foreign = |why: &str| {
        let why = format!("{why}, and an adoption needs this name");
        Err(Error::not_a_pidfile(&path(), why))
    };
    match kind_of(&stat) {
        Some(kind) => foreign(kind),
        None if !leftover::is_trusted(&stat) => Err(Error::insecure(
            &path(),
            format!(
                "it belongs to user {}, and an adoption needs this name; remove it",
                process::user_name(Uid::from_raw(stat.uid))
            ),
        )),
        None => match leftover::read(target, step) {
            Ok(Record::Foreign(why)) => foreign(&why),
            // A sibling's, unless the system has refused.
            _ => match removed {
                Ok(()) | Err(Errno::ENOENT) => Ok(()),
                Err(errno) => Err(Error::io(Action::Remove, &path(), errno)),
            },
        },
    }
}

/// Removes what a killed adoption left. The caller holds the lock of the pidfile, but so may its
/// siblings.
///
/// # Errors
///
/// The system refused, which matters to an adoption only.
pub(crate) fn remove_leftover(target: &Target) -> nix::Result<()> {
    leftover::remove(target, &stepping_stone(&target.name), |record| {
        !matches!(record, Record::Foreign(_))
    })
}

/// `.NAME.adopt`. If that is too long, NAME is the beginning of the name and a hash of all of it.
fn stepping_stone(name: &CStr) -> CString {
    const AFFIXES: usize = ".".len() + ".adopt".len();
    const HASH: usize = ".0123456789abcdef".len();

    let whole = name.to_bytes();
    let mut bytes = vec![b'.'];
    if whole.len() + AFFIXES < crate::cleanup::NAME_SIZE {
        bytes.extend_from_slice(whole);
    } else {
        let mut hasher = DefaultHasher::new();
        hasher.write(whole);
        bytes.extend_from_slice(&whole[..crate::cleanup::NAME_SIZE - 1 - AFFIXES - HASH]);
        bytes.extend_from_slice(format!(".{:016x}", hasher.finish()).as_bytes());
    }
    bytes.extend_from_slice(b".adopt");
    // What was a C string contains no NUL.
    CString::new(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stepping_stone_fits_and_differs_from_name_to_name() {
        assert_eq!(stepping_stone(c"app.pid").as_bytes(), b".app.pid.adopt");
        let name = |last: &str| CString::new("x".repeat(254) + last).unwrap();
        let (one, other) = (stepping_stone(&name("a")), stepping_stone(&name("b")));
        assert_ne!(one, other);
        for length in 1..=255 {
            let name = CString::new("x".repeat(length)).unwrap();
            assert!(stepping_stone(&name).as_bytes().len() <= 255, "{length}");
        }
    }
}
