//! Adopt: after a fork, replace the file by one that only this process has locked.
//!
//! A lock that was taken before a fork is shared by both processes, and any of
//! them can undo it. So the process that stays makes a file of its own, locks
//! it, and renames it over the old one: the name is never absent, and whoever
//! had the old file open sees that the name has moved.
//!
//! A file without a name cannot be renamed; it gets `.NAME.adopt` first. Only
//! the holder of the pidfile's lock may touch that name, so one that is found
//! was left by a process that was killed in between.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;
use nix::fcntl::{OFlag, renameat};
use nix::sys::stat::{Mode, fstat};

use crate::action::Action;
use crate::descriptor::open_at;
use crate::draft::{Draft, Plan};
use crate::error::{Error, Result};
use crate::publish::{self, Published};
use crate::record::{self, Record};
use crate::sys::{self, FileId, LockKind};
use crate::target::{Target, kind_of};

/// Publishes a new file under the name of the old one, whose lock the caller shares.
///
/// # Errors
///
/// `Lost`: the name does not mean the old file any more. Several processes may share its lock, and
/// only the first of them adopts.
pub(crate) fn replace(plan: &Plan, old: FileId) -> Result<Published> {
    let target = &plan.target;
    let step = stepping_stone(&target.name);
    let mut draft = Draft::make(plan)?;
    let mut publishing = draft.arm(plan)?;
    let mut placed = place(&draft, target, &step);
    if placed.is_err_and(|errno| draft.hidden.is_none() && !publish::is_final(errno)) {
        // A nameless file that cannot be named.
        draft.disarm(publishing);
        draft = Draft::make_hidden(plan)?;
        publishing = draft.arm(plan)?;
        placed = place(&draft, target, &step);
    }
    let renamed = match placed {
        Ok(()) => rename(target, &step, old),
        Err(Errno::EEXIST) => Ok(false), // Another process is adopting.
        Err(errno) => Err(errno),
    };
    match renamed {
        Ok(true) => Ok(publish::finish(draft, plan, publishing)),
        Ok(false) => {
            draft.disarm(publishing);
            Err(Error::Lost {
                path: target.path.clone(),
            })
        }
        Err(errno) => {
            draft.disarm(publishing);
            Err(target.cannot(Action::Publish, errno))
        }
    }
}

/// Gives the draft the name from which it can be renamed. Whoever has made that name is the only one
/// who adopts.
fn place(draft: &Draft, target: &Target, step: &CStr) -> std::result::Result<(), Errno> {
    let link = || match &draft.hidden {
        None => publish::link_nameless(target, &draft.file, step),
        Some(hidden) => publish::link_hidden(target, &hidden.name, step),
    };
    link().or_else(|errno| {
        if errno != Errno::EEXIST {
            return Err(errno);
        }
        remove_leftover(target);
        link()
    })
}

/// Renames it over the old file; `false` if that one has lost the name.
fn rename(target: &Target, step: &CStr, old: FileId) -> std::result::Result<bool, Errno> {
    let renamed = match sys::id_of_name(target.dir.as_raw_fd(), &target.name) {
        Ok(id) if id == old => {
            renameat(&target.dir, step, &target.dir, target.name.as_c_str()).map(|()| true)
        }
        Ok(_) | Err(Errno::ENOENT) => Ok(false),
        Err(errno) => Err(errno),
    };
    if !matches!(renamed, Ok(true)) {
        // Ignored: what has happened before counts, and the next adoption or start removes it.
        let _ = target.remove(step);
    }
    renamed
}

/// Removes what a killed adoption left. The caller holds the lock of the pidfile.
///
/// Nothing else is removed: not what is locked, and not what is no pidfile. A failure is no
/// failure of the caller's; it is litter that blocks nobody.
pub(crate) fn remove_leftover(target: &Target) {
    let name = stepping_stone(&target.name);
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let Ok(file) = open_at(&target.dir, name.as_c_str(), flags, Mode::empty()) else {
        return;
    };
    let file = File::from(file);
    if is_pidfile(&file) && sys::flock(file.as_raw_fd(), LockKind::Exclusive).is_ok() {
        let _ = target.remove(&name);
    }
}

fn is_pidfile(file: &File) -> bool {
    let mut bytes = [0; record::MOST];
    fstat(file).is_ok_and(|stat| kind_of(&stat).is_none())
        && file
            .read_at(&mut bytes, 0)
            .is_ok_and(|length| !matches!(record::parse(&bytes[..length]), Record::Foreign(_)))
}

/// `.NAME.adopt`; where that is too long, the name's beginning and a hash of the whole.
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
    // There is no NUL in what was a C string.
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
