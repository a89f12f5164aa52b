//! Write into the stale file itself, where its directory refuses to let it be
//! replaced.
//!
//! An unprivileged service may own a file that was made for it in a directory
//! it cannot write, or the name may be a bind mount. The file keeps its inode
//! and its name; at the end it is emptied and unlocked, not removed.
//!
//! Here, and only here, a reader may see the file without a record: emptied
//! first and written second, it is "empty" for an instant, where the other
//! order would show a wrong number.

use std::fs::File;
use std::os::unix::fs::FileExt;

use nix::libc;
use nix::sys::stat::FileStat;

use crate::action::Action;
use crate::cleanup::Ways;
use crate::descriptor::Held;
use crate::draft::Plan;
use crate::error::{Error, Result};
use crate::lock::Found;
use crate::ownership::Ownership;
use crate::publish::Published;
use crate::record;
use crate::target::Target;

/// Makes a stale file, locked and judged, ours.
pub(crate) fn take_over(plan: &Plan, found: Found) -> Result<Published> {
    let target = &plan.target;
    if found.unwritable.is_some() {
        return Err(found.cannot_write(target));
    }
    if let Some(why) = shared_with_others(&found.stat, &plan.ownership) {
        return Err(target.insecure(format!(
            "its directory cannot be written, and {why}; remove it, or make the directory writable"
        )));
    }
    let id = found.id();
    let ways = Ways {
        in_place: true,
        ..plan.ways
    };
    let held = Held::of(&target.dir, &found.file, id);
    let publishing = plan.arm(held, &target.name, ways)?;
    plan.ownership
        .apply(&found.file, &found.stat)
        .map_err(|(action, errno)| target.cannot(action, errno))?;
    write(target, &found.file, plan.pid)?;
    Ok(Published {
        file: found.file.into(),
        id,
        in_place: true,
        entry: publishing.armed(),
    })
}

/// Whether no file can be made in the directory, for reasons that leave the one in it usable.
pub(crate) fn is_called_for(refusal: &Error) -> bool {
    let Error::Io {
        action: Action::Create | Action::Publish,
        source,
        ..
    } = refusal
    else {
        return false;
    };
    matches!(
        source.raw_os_error(),
        Some(libc::EACCES | libc::EPERM | libc::EROFS)
    )
}

/// Who else may write what we are about to write.
fn shared_with_others(stat: &FileStat, ownership: &Ownership) -> Option<&'static str> {
    let group_may = ownership.mode.bits() & libc::S_IWGRP != 0;
    if stat.st_nlink != 1 {
        Some("the file has another name elsewhere")
    } else if stat.st_mode & libc::S_IWOTH != 0 {
        Some("others may write the file")
    } else if stat.st_mode & libc::S_IWGRP != 0 && !group_may {
        Some("its group may write the file")
    } else {
        None
    }
}

fn write(target: &Target, file: &File, pid: u32) -> Result<()> {
    file.set_len(0)
        .map_err(|source| target.failed(Action::Empty, source))?;
    file.write_all_at(record::render(pid).as_bytes(), 0)
        .map_err(|source| {
            // Half a number is the wrong number. Ignored: the failure to write is reported.
            let _ = file.set_len(0);
            target.failed(Action::Write, source)
        })
}
