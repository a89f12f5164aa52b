//! Write into the stale file itself, where it cannot be replaced.
//!
//! An unprivileged service may own a file that was created for it in a
//! directory that it cannot write to, the name may be a bind mount, or the disk
//! may be full. The file keeps its inode and its name. At the end it is emptied
//! and unlocked instead of removed.
//!
//! A single write replaces the old record with the new one. Both are padded with
//! newlines to the same length: the file is lengthened before, and cut to length
//! afterwards. Many file systems let a reader see the old length together with
//! the new bytes, and half of a longer id would be the id of another process. So
//! a reader sees the old id or the new one, and a full disk still has the space
//! that the old record took.
//!
//! Nor does a read exclude a write there, but both copy eight bytes at once. An id
//! of Linux has seven digits at most, so its record fits, and the padding makes
//! every record that long. Of a longer old record, which names no process of
//! this system, a reader may see the first eight bytes.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

use nix::libc;

use crate::action::Action;
use crate::descriptor::Numbers;
use crate::error::{Error, Result};
use crate::open::Found;
use crate::ownership::Ownership;
use crate::plan::Plan;
use crate::publication::Published;
use crate::record;
use crate::sys::{self, Stat};
use crate::target::Target;

/// How many bytes a 64-bit kernel copies at once.
const WORD: usize = 8;

/// Takes over a stale file that the caller has locked and judged.
pub(crate) fn take_over(plan: &Plan, found: Found) -> Result<Published> {
    let target = &plan.target;
    if found.unwritable.is_some() {
        return Err(found.cannot_write(target));
    }
    if let Some(why) = shared_with_others(&found.stat, &plan.terms.ownership) {
        return Err(target.insecure(format!(
            "no file can be created in its directory, and {why}; remove it, or use another directory"
        )));
    }
    let numbers = Numbers::of(&target.dir, &found.file, found.id());
    let publishing = plan.arm_in_place(numbers)?;
    plan.terms
        .ownership
        .apply(&found.file, &found.stat)
        .map_err(|(action, errno)| target.cannot(action, errno))?;
    write(target, &found.file, plan.terms.pid)?;
    Ok(Published {
        id: found.id(),
        file: found.file.into(),
        entry: publishing.armed(),
    })
}

/// Whether no file can be created in the directory, for a reason that leaves the existing one
/// usable.
pub(crate) fn is_called_for(refusal: &Error) -> bool {
    let Error::Io { action, source, .. } = refusal else {
        return false;
    };
    match source.raw_os_error() {
        Some(libc::EACCES | libc::EPERM | libc::EROFS) => {
            matches!(action, Action::Create | Action::Publish | Action::Replace)
        }
        Some(libc::EBUSY) => *action == Action::Replace,
        Some(libc::ENOSPC | libc::EDQUOT) => matches!(
            action,
            Action::Create | Action::Write | Action::Publish | Action::Replace
        ),
        _ => false,
    }
}

/// Who else has access to the file that we are about to write to.
fn shared_with_others(stat: &Stat, ownership: &Ownership) -> Option<&'static str> {
    let group_may = ownership.mode.bits() & libc::S_IWGRP != 0;
    if stat.links != 1 {
        Some("the file has another hard link")
    } else if stat.mode & libc::S_IWOTH != 0 {
        Some("any user can write to the file")
    } else if stat.mode & libc::S_IWGRP != 0 && !group_may {
        Some("its group can write to the file")
    } else {
        None
    }
}

fn write(target: &Target, file: &File, pid: u32) -> Result<()> {
    let mut record = record::render(pid).into_bytes();
    let length = record.len();
    let old = sys::stat(file.as_raw_fd())
        .map_err(|errno| target.cannot(Action::Inspect, errno))?
        .size;
    // A file that was judged is not longer than the most that is read of one.
    let old = usize::try_from(old)
        .unwrap_or(record::MOST)
        .min(record::MOST);
    // An empty file has no old length that could be seen with new bytes.
    let longest = if old == 0 { 0 } else { old.max(WORD) }.max(length);
    let lengthen = if (1..longest).contains(&old) {
        write_whole(file, &vec![b'\n'; longest - old], old)
    } else {
        Ok(())
    };
    record.resize(longest, b'\n');
    lengthen
        .and_then(|()| write_whole(file, &record, 0))
        .and_then(|()| file.set_len(length as u64))
        .map_err(|source| {
            // Half an id is a wrong id. Ignored: the failure to write is reported.
            let _ = file.set_len(0);
            target.failed(Action::Write, source)
        })
}

fn write_whole(file: &File, bytes: &[u8], offset: usize) -> std::io::Result<()> {
    loop {
        match file.write_at(bytes, offset as u64) {
            Ok(written) if written == bytes.len() => return Ok(()),
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
