//! What the benchmarks and the worker share: a round of each kind.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process;

use nix::fcntl::{AT_FDCWD, AtFlags, FlockArg, OFlag, open, openat};
use nix::sys::stat::{Mode, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, linkat, unlinkat};
use pidfile::PidFile;

/// Acquires and releases a pidfile.
///
/// # Errors
///
/// The file cannot be acquired or released.
pub fn acquire_and_release(path: &Path) -> pidfile::Result<()> {
    PidFile::acquire(path)?.release()
}

/// The fewest system calls that publish a complete and locked file with the id of this process, and
/// remove it: open, getpid, flock, write, link, unlink, close.
///
/// # Errors
///
/// A system call failed: for instance, another process has the file, or the file system does not
/// support files without a name.
pub fn raw_calls(dir: &Path, path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o644)
        .custom_flags(OFlag::O_TMPFILE.bits())
        .open(dir)?;
    lock(&file, FlockArg::LockExclusiveNonblock)?;
    file.write_all(format!("{}\n", process::id()).as_bytes())?;
    linkat(&file, "", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH)?;
    fs::remove_file(path)
}

/// The same for a program that is careful: it keeps the directory open, so that the path may change
/// its meaning, and removes the file only if it is still its own.
///
/// # Errors
///
/// A system call failed, or another program has replaced the file.
pub fn careful_calls(dir: &Path, name: &str) -> io::Result<()> {
    let dir = open(
        dir,
        OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    let flags = OFlag::O_TMPFILE | OFlag::O_RDWR | OFlag::O_CLOEXEC;
    let mut file = File::from(openat(&dir, ".", flags, Mode::from_bits_truncate(0o644))?);
    lock(&file, FlockArg::LockExclusiveNonblock)?;
    file.write_all(format!("{}\n", process::id()).as_bytes())?;
    let ours = fstat(&file)?;
    linkat(&file, "", &dir, name, AtFlags::AT_EMPTY_PATH)?;
    let there = fstatat(&dir, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    if (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(unlinkat(&dir, name, UnlinkatFlags::NoRemoveDir)?)
}

/// Locks a file until it is closed.
///
/// # Errors
///
/// Another process has the lock, or the file system does not support locks.
pub fn lock(file: &File, kind: FlockArg) -> io::Result<()> {
    #[expect(
        deprecated,
        reason = "`nix::fcntl::Flock` unlocks before it closes, which is one call more"
    )]
    Ok(nix::fcntl::flock(file.as_raw_fd(), kind)?)
}

/// Holds that many pidfiles in a directory.
///
/// # Errors
///
/// One of them cannot be acquired, or the limit of open files is too low.
pub fn hold(dir: &Path, count: usize) -> pidfile::Result<Vec<PidFile>> {
    (0..count)
        .map(|number| PidFile::acquire(dir.join(format!("{number}.pid"))))
        .collect()
}
