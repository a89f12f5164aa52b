//! Facts about files, found without the library.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Everything about a file that could have changed. Two snapshots of an unchanged file are equal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) inode: u64,
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    links: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    pub(crate) bytes: Vec<u8>,
    target: Option<PathBuf>,
}

impl Snapshot {
    /// Of the name itself, never of the target of a link.
    #[track_caller]
    pub(crate) fn of(path: impl AsRef<Path>) -> Snapshot {
        let path = path.as_ref();
        let facts = fs::symlink_metadata(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // A sparse file of a terabyte is compared by its size and times.
        let readable = facts.is_file() && facts.size() < 1 << 24;
        Snapshot {
            inode: facts.ino(),
            mode: facts.mode() & 0o7777,
            owner: (facts.uid(), facts.gid()),
            links: facts.nlink(),
            size: facts.size(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
            bytes: if readable {
                fs::read(path).expect("a file that was just there")
            } else {
                Vec::new()
            },
            target: fs::read_link(path).ok(),
        }
    }
}

/// Takes the lock as any other program would.
#[track_caller]
pub(crate) fn lock(path: &Path, how: FlockArg) -> Flock<File> {
    Flock::lock(File::open(path).expect("open"), how)
        .map_err(|(_, error)| error)
        .expect("flock")
}

/// Whether the file is locked exclusively. `flock` needs no permission to write.
#[track_caller]
pub(crate) fn is_locked(path: &Path) -> bool {
    let file = match OpenOptions::new().read(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return false,
        Err(error) => panic!("{}: {error}", path.display()),
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => false,
        Err((_, Errno::EWOULDBLOCK)) => true,
        Err((_, error)) => panic!("{}: {error}", path.display()),
    }
}

/// Whether the directory takes nameless files, which leave no litter when their process is killed.
pub(crate) fn is_tmpfile_supported(dir: &Path) -> bool {
    #[cfg(target_os = "linux")]
    let made = {
        use std::os::unix::fs::OpenOptionsExt;
        File::options()
            .write(true)
            .custom_flags(nix::libc::O_TMPFILE)
            .open(dir)
            .is_ok()
    };
    #[cfg(not(target_os = "linux"))]
    let made = false;
    super::system::needs(made, &format!("nameless files in {}", dir.display()))
}
