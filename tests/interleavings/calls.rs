//! What a system call touches, and whether its order with another one may matter.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::libc::{self, c_int};

use crate::support::{Call, Sandbox, Stepped};

/// What a call touches: a file name in the directory, or a file.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Object {
    Name(Vec<u8>),
    File(u64),
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Name(name) => write!(f, "{}", String::from_utf8_lossy(name)),
            Object::File(inode) => write!(f, "#{inode}"),
        }
    }
}

/// A call as the search sees it.
#[derive(Clone)]
pub(super) struct Step {
    number: i64,
    pub(super) objects: BTreeSet<Object>,
    changes: bool,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "call {} {:?}", self.number, self.objects)
    }
}

impl Step {
    /// What a child is about to do.
    pub(super) fn of(child: &Stepped, call: &Call, place: &Place) -> Step {
        let [first, second, third, fourth, ..] = call.arguments;
        let mut objects = BTreeSet::new();
        for address in match call.number {
            libc::SYS_newfstatat
            | libc::SYS_statx
            | libc::SYS_readlinkat
            | libc::SYS_openat
            | libc::SYS_unlinkat => vec![second],
            libc::SYS_linkat | libc::SYS_renameat | libc::SYS_renameat2 => vec![second, fourth],
            _ => vec![],
        } {
            objects.extend(place.named(&child.string(address)));
        }
        if ON_A_DESCRIPTOR.contains(&call.number) {
            objects.extend(child.file(first).and_then(|file| place.file(file)));
        }
        let flag = |argument: u64, flags: c_int| argument & u64::from(flags.unsigned_abs()) != 0;
        let changes = match call.number {
            libc::SYS_newfstatat
            | libc::SYS_statx
            | libc::SYS_readlinkat
            | libc::SYS_fstat
            | libc::SYS_pread64
            | libc::SYS_read => false,
            libc::SYS_openat => flag(third, libc::O_CREAT),
            libc::SYS_fcntl => [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK]
                .iter()
                .any(|command| second == u64::from(command.unsigned_abs())),
            // The parent has a copy of the reservation all the time, so no lock goes with one.
            libc::SYS_close => !objects.contains(&place.reserved),
            _ => true,
        };
        Step {
            number: call.number,
            objects,
            changes,
        }
    }

    /// Whether the order of the two may matter.
    pub(super) fn concerns(&self, other: &Step) -> bool {
        (self.changes || other.changes) && !self.objects.is_disjoint(&other.objects)
    }
}

/// Calls whose first argument is a descriptor that they look at or change.
const ON_A_DESCRIPTOR: [i64; 14] = [
    libc::SYS_flock,
    libc::SYS_close,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_pread64,
    libc::SYS_read,
    libc::SYS_pwrite64,
    libc::SYS_write,
    libc::SYS_ftruncate,
    libc::SYS_fchmod,
    libc::SYS_fchown,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_linkat,
];

/// The directory that the children share, with the file that was reserved.
pub(super) struct Place {
    dir: PathBuf,
    device: u64,
    inode: u64,
    reserved: Object,
}

impl Place {
    pub(super) fn of(sandbox: &Sandbox) -> Place {
        let dir = fs::metadata(sandbox.dir()).expect("the sandbox");
        let reserved = fs::metadata(sandbox.pidfile()).expect("it was reserved");
        Place {
            dir: sandbox.dir().to_owned(),
            device: dir.dev(),
            inode: dir.ino(),
            reserved: Object::File(reserved.ino()),
        }
    }

    /// A file of this file system; pipes and the like are not shared with the other child. The
    /// directory is never changed by a descriptor.
    fn file(&self, (device, inode): (u64, u64)) -> Option<Object> {
        (device == self.device && inode != self.inode).then_some(Object::File(inode))
    }

    /// A name, and the file that has it at the moment. `.` and the numbers in `/proc` are not names
    /// in this directory.
    fn named(&self, path: &[u8]) -> Vec<Object> {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        if name.is_empty() || name == b"." || path.starts_with(b"/proc/") {
            return Vec::new();
        }
        let facts = fs::symlink_metadata(self.dir.join(OsStr::from_bytes(name)));
        let file = facts
            .ok()
            .and_then(|facts| self.file((facts.dev(), facts.ino())));
        let name = Object::Name(name.to_vec());
        file.into_iter().chain([name]).collect()
    }
}
