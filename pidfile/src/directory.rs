//! A directory that has been chosen, and how to get a descriptor of it.
//!
//! From there on only the descriptor is used, so that `chdir`, `chroot` and
//! renamed ancestors do not matter. There are three kinds: one that must exist,
//! one whose missing components are created, and the private one below TMPDIR.
//!
//! No other user may redirect what is created here, as happens to root's
//! `mkdir -p`, which follows a symbolic link that a stranger put in the way. So
//! a directory is created only in one that belongs to us or root and that no
//! other user can write to, and a link is followed only if it is in such a one.
//! In a sticky directory, such as `/tmp`, a directory is created too, but must
//! then turn out to be ours. Every component is opened, checked by its
//! descriptor, and used through it.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, readlinkat};
use nix::libc;
use nix::sys::stat::{FchmodatFlags, Mode, fchmodat, mkdirat};
use nix::unistd::{Uid, geteuid};

use crate::action::Action;
use crate::descriptor::open_at;
use crate::error::{Error, Result};
use crate::process;
use crate::sys::{self, FileId, LeakedList, Stat};

/// The most symbolic links to follow, as many as Linux does.
pub(crate) const MOST_LINKS: usize = 40;

/// For a descriptor that only serves to reach what is in the directory, without permission to list
/// it.
#[cfg(target_os = "linux")]
pub(crate) const SEARCH: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY);
#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd"))]
pub(crate) const SEARCH: OFlag = OFlag::O_SEARCH.union(OFlag::O_DIRECTORY);
#[cfg(not(any(
    target_os = "linux",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd"
)))]
pub(crate) const SEARCH: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY);

/// A directory that has been chosen, but not opened or created yet.
#[derive(Clone, Debug)]
pub(crate) enum Directory {
    /// It must exist.
    Existing(PathBuf),
    /// Its missing components are created.
    MadeIfMissing(PathBuf),
    /// One to which only we have access, in a directory that every user may write to.
    Private { base: PathBuf, name: String },
}

impl Directory {
    pub(crate) fn path(&self) -> PathBuf {
        self.clone().into_path()
    }

    pub(crate) fn into_path(self) -> PathBuf {
        match self {
            Directory::Existing(path) | Directory::MadeIfMissing(path) => path,
            Directory::Private { base, name } => base.join(name),
        }
    }

    /// Opens an existing directory, and creates nothing.
    pub(crate) fn open(&self) -> Result<OwnedFd> {
        match self {
            Directory::Existing(path) | Directory::MadeIfMissing(path) => {
                open(path).map_err(|errno| cannot(Action::OpenDirectory, path, errno))
            }
            Directory::Private { base, name } => {
                open_private(base, name, &self.path(), &mut |_| Ok(()))
            }
        }
    }

    /// Opens the directory, and creates what may be created.
    pub(crate) fn open_or_make(&self) -> Result<OwnedFd> {
        match self {
            Directory::Existing(_) => self.open(),
            Directory::MadeIfMissing(path) => match open(path) {
                Err(Errno::ENOENT) => make(path),
                opened => opened.map_err(|errno| cannot(Action::OpenDirectory, path, errno)),
            },
            Directory::Private { base, name } => {
                let path = self.path();
                open_private(base, name, &path, &mut |base| {
                    let mode = Mode::from_bits_truncate(0o700);
                    match sys::retry(|| mkdirat(base, name.as_str(), mode)) {
                        // Whatever the umask. No other user can have moved what we just created.
                        Ok(()) => sys::retry(|| {
                            fchmodat(base, name.as_str(), mode, FchmodatFlags::FollowSymlink)
                        })
                        .map_err(|errno| cannot(Action::SetMode, &path, errno)),
                        Err(Errno::EEXIST) => Ok(()),
                        Err(errno) => Err(cannot(Action::MakeDirectory, &path, errno)),
                    }
                })
            }
        }
    }
}

/// Whether only we and root decide what is in a directory.
pub(crate) fn is_private(stat: &Stat) -> bool {
    is_ours_or_roots(stat) && stat.mode & (libc::S_IWGRP | libc::S_IWOTH) == 0
}

pub(crate) fn is_ours_or_roots(stat: &Stat) -> bool {
    stat.uid == 0 || stat.uid == geteuid().as_raw()
}

/// Whether other users may create files in a directory, but not touch ours.
fn is_sticky(stat: &Stat) -> bool {
    is_ours_or_roots(stat) && stat.mode & libc::S_ISVTX != 0
}

pub(crate) fn open(path: &Path) -> nix::Result<OwnedFd> {
    open_at(AT_FDCWD, path, SEARCH, Mode::empty())
}

/// The metadata of what a path leads to now, without following its last component.
pub(crate) fn stat(path: &Path) -> nix::Result<Stat> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::EINVAL)?;
    sys::stat_at(libc::AT_FDCWD, &path)
}

/// The root directory at the first acquire of this process or of an ancestor: the oldest entry
/// counts, and there are more only where threads came at once.
///
/// Not a `OnceLock`: the child of a fork in the middle of its initialisation would wait forever.
static ROOT: LeakedList<Option<FileId>> = LeakedList::new();

/// Notes where paths begin, the first time it is called.
pub(crate) fn note_root() {
    if ROOT.iter().next().is_none() {
        ROOT.push(root());
    }
}

fn root() -> Option<FileId> {
    stat(Path::new("/")).ok().map(|stat| stat.id)
}

/// Whether paths begin somewhere else by now, after a `chroot` or a `pivot_root`.
pub(crate) fn is_confined() -> bool {
    ROOT.iter().last().copied().flatten() != root()
}

/// Opens the private directory, after `prepare` had the chance to create it.
fn open_private(
    base: &Path,
    name: &str,
    path: &Path,
    prepare: &mut dyn FnMut(&OwnedFd) -> Result<()>,
) -> Result<OwnedFd> {
    let base = open(base).map_err(|errno| cannot(Action::OpenDirectory, base, errno))?;
    prepare(&base)?;
    let dir = match open_at(&base, name, SEARCH | OFlag::O_NOFOLLOW, Mode::empty()) {
        Err(Errno::ENOTDIR | Errno::ELOOP) => {
            return Err(Error::insecure(
                path,
                "it is not a directory; remove it, or set `dir`",
            ));
        }
        opened => opened.map_err(|errno| cannot(Action::OpenDirectory, path, errno))?,
    };
    let stat = sys::stat(dir.as_raw_fd()).map_err(|errno| cannot(Action::Inspect, path, errno))?;
    if stat.uid != geteuid().as_raw() || stat.mode & 0o077 != 0 {
        return Err(Error::insecure(
            path,
            format!(
                "{}, but no other user may have access to it; remove it, or set `dir`",
                describe(&stat)
            ),
        ));
    }
    Ok(dir)
}

/// Creates the missing components of an absolute path one by one.
fn make(path: &Path) -> Result<OwnedFd> {
    let root = || open(Path::new("/")).map_err(|errno| cannot(Action::OpenDirectory, path, errno));
    let mut here = root()?;
    let mut here_path = PathBuf::from("/");
    let mut todo = components(path);
    let mut links = 0;
    while let Some(name) = todo.pop() {
        let next_path = here_path.join(&name);
        let opened = match open_component(&here, &name) {
            Err(Errno::ENOENT) => match make_component(&here, &here_path, &name)? {
                Some(made) => Ok(made),
                None => open_component(&here, &name),
            },
            opened => opened,
        };
        match opened {
            Ok(next) => (here, here_path) = (next, next_path),
            // With O_NOFOLLOW and O_DIRECTORY, opening a symbolic link fails with one of these.
            Err(refusal @ (Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK)) => {
                let Ok(target) = sys::retry(|| readlinkat(&here, name.as_os_str())) else {
                    return Err(cannot(Action::OpenDirectory, &next_path, refusal));
                };
                require_private(&here, &here_path)?;
                links += 1;
                if links > MOST_LINKS {
                    return Err(cannot(Action::OpenDirectory, &next_path, Errno::ELOOP));
                }
                let target = PathBuf::from(target);
                if target.is_absolute() {
                    (here, here_path) = (root()?, PathBuf::from("/"));
                }
                todo.extend(components(&target));
            }
            Err(errno) => return Err(cannot(Action::OpenDirectory, &next_path, errno)),
        }
    }
    Ok(here)
}

fn open_component(dir: &OwnedFd, name: &OsStr) -> nix::Result<OwnedFd> {
    open_at(dir, name, SEARCH | OFlag::O_NOFOLLOW, Mode::empty())
}

/// Creates a directory, and makes sure that only we or root can have created what is there now.
/// Returns it opened if its parent is sticky; otherwise `None`, and the caller opens it.
fn make_component(here: &OwnedFd, here_path: &Path, name: &OsStr) -> Result<Option<OwnedFd>> {
    let parent =
        sys::stat(here.as_raw_fd()).map_err(|errno| cannot(Action::Inspect, here_path, errno))?;
    if !is_private(&parent) && !is_sticky(&parent) {
        return Err(not_private(here_path, &parent));
    }
    let path = here_path.join(name);
    match sys::retry(|| mkdirat(here, name, Mode::from_bits_truncate(0o755))) {
        Ok(()) | Err(Errno::EEXIST) => {}
        Err(errno) => {
            return Err(cannot(Action::MakeDirectory, &path, errno).advise(|_| {
                Some(format!(
                    "{} {}",
                    here_path.display(),
                    describe_owner(&parent)
                ))
            }));
        }
    }
    if is_private(&parent) {
        return Ok(None);
    }
    // Any user may have been faster in a sticky directory, so the result is checked.
    let made = open_component(here, name).map_err(|errno| match errno {
        Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK => {
            Error::insecure(&path, "it is a link or a file, not a directory; remove it")
        }
        _ => cannot(Action::OpenDirectory, &path, errno),
    })?;
    let stat =
        sys::stat(made.as_raw_fd()).map_err(|errno| cannot(Action::Inspect, &path, errno))?;
    if stat.uid != geteuid().as_raw() || stat.mode & (libc::S_IWGRP | libc::S_IWOTH) != 0 {
        return Err(not_private(&path, &stat));
    }
    Ok(Some(made))
}

/// The names in a path, the last one first.
fn components(path: &Path) -> Vec<OsString> {
    path.components()
        .rev()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

fn require_private(dir: &OwnedFd, path: &Path) -> Result<()> {
    let stat = sys::stat(dir.as_raw_fd()).map_err(|errno| cannot(Action::Inspect, path, errno))?;
    if is_private(&stat) {
        return Ok(());
    }
    Err(not_private(path, &stat))
}

fn not_private(path: &Path, stat: &Stat) -> Error {
    let why = if stat.mode & libc::S_IWOTH != 0 {
        "any user can write to it"
    } else if stat.mode & libc::S_IWGRP != 0 {
        "its group can write to it"
    } else {
        "another user controls it"
    };
    Error::insecure(
        path,
        format!(
            "{why} ({}), so nothing is created below it; create the directory yourself",
            describe(stat)
        ),
    )
}

/// Who may change a directory, as a clause of a message.
pub(crate) fn describe(stat: &Stat) -> String {
    format!("it {}", describe_owner(stat))
}

fn describe_owner(stat: &Stat) -> String {
    format!(
        "belongs to user {} and has mode {:o}",
        process::user_name(Uid::from_raw(stat.uid)),
        stat.permissions()
    )
}

pub(crate) fn cannot(action: Action, path: &Path, errno: Errno) -> Error {
    Error::io(action, path, errno).advise(|_| match (action, errno) {
        (Action::OpenDirectory, Errno::ENOENT) => {
            Some("create it first, or use `dir`, which creates missing directories".into())
        }
        _ => None,
    })
}
