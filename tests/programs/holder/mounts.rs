//! Steps that mount. The mount namespace is the process's own and takes every mount with it.

use std::ffi::OsStr;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::argument::halves;

const NOTHING: Option<&str> = None;

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr) -> bool {
    match name {
        "private-mounts" => {
            unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
            change("/".as_ref(), MsFlags::MS_REC | MsFlags::MS_PRIVATE);
        }
        "tmpfs" => mount(
            Some("tmpfs"),
            value,
            Some("tmpfs"),
            MsFlags::empty(),
            Some("size=16k"),
        )
        .expect("mount a tmpfs"),
        "bind" => {
            let (from, to) = halves(value, b',');
            mount(Some(from), to, NOTHING, MsFlags::MS_BIND, NOTHING).expect("mount --bind");
        }
        "read-only" => change(value, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY),
        "read-write" => change(value, MsFlags::MS_REMOUNT),
        _ => return false,
    }
    true
}

fn change(target: &OsStr, flags: MsFlags) {
    mount(NOTHING, target, NOTHING, flags, NOTHING).expect("change a mount");
}
