//! Which directory, and how to get a descriptor of it.
//!
//! From there on only the descriptor is used, so that `chdir`, `chroot` and
//! renamed ancestors do not matter. Three kinds: one that must exist, one whose
//! missing components are made, and the private one below TMPDIR.
//!
//! What is made is made for nobody else to redirect: `mkdir -p` as root follows
//! a symbolic link that a stranger put in the way. So directories are made only
//! in one that belongs to us or root and that nobody else can write, and links
//! are followed only out of such a one. Every component is opened, judged by
//! its descriptor, and used through it.

use std::collections::VecDeque;
use std::env;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, readlinkat};
use nix::libc;
use nix::sys::stat::{FchmodatFlags, FileStat, Mode, fchmodat, fstat, mkdirat};
use nix::unistd::{AccessFlags, faccessat, getegid, geteuid, getgid, getuid};

use crate::action::Action;
use crate::descriptor::open_at;
use crate::error::{Error, Result};

/// As many as Linux follows.
const MOST_LINKS: usize = 40;

/// A descriptor that only serves to reach what is in the directory; reading it is not needed.
#[cfg(target_os = "linux")]
const SEARCH: OFlag = OFlag::O_PATH.union(OFlag::O_DIRECTORY);
#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "netbsd"))]
const SEARCH: OFlag = OFlag::O_SEARCH.union(OFlag::O_DIRECTORY);
#[cfg(not(any(
    target_os = "linux",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd"
)))]
const SEARCH: OFlag = OFlag::O_RDONLY.union(OFlag::O_DIRECTORY);

/// A directory that has been chosen, but not opened or made yet.
#[derive(Clone, Debug)]
pub(crate) enum Directory {
    /// It must exist.
    Existing(PathBuf),
    /// Its missing components are made.
    MadeIfMissing(PathBuf),
    /// One of ours that nobody else can look into, in a directory that everybody may use.
    Private { base: PathBuf, name: String },
}

impl Directory {
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Directory::Existing(path) | Directory::MadeIfMissing(path) => path.clone(),
            Directory::Private { base, name } => base.join(name),
        }
    }

    /// Opens what is there, and makes nothing.
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

    /// Opens it, and makes what may be made.
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
                    match mkdirat(base, name.as_str(), mode) {
                        // Whatever the umask. Nobody else can have moved what we have just made.
                        Ok(()) => fchmodat(base, name.as_str(), mode, FchmodatFlags::FollowSymlink)
                            .map_err(|errno| cannot(Action::SetMode, &path, errno)),
                        Err(Errno::EEXIST) => Ok(()),
                        Err(errno) => Err(cannot(Action::MakeDirectory, &path, errno)),
                    }
                })
            }
        }
    }
}

/// The directory for files that live as long as the system runs: the first one that is usable.
pub(crate) fn run_time() -> Directory {
    let uid = geteuid();
    let system = || {
        ["/run", "/var/run"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| is_usable(path, OFlag::empty()))
    };
    // systemd separates several directories with colons.
    let of_service = variable("RUNTIME_DIRECTORY").and_then(|value| {
        if_usable(OsStr::from_bytes(
            value.as_bytes().split(|b| *b == b':').next()?,
        ))
    });
    of_service
        .or_else(|| {
            if uid.is_root() {
                return None; // Not /run/user/0, which goes when root logs out.
            }
            variable("XDG_RUNTIME_DIR")
                .and_then(|value| if_usable(&value))
                .or_else(|| {
                    let path = PathBuf::from(format!("/run/user/{uid}"));
                    is_usable(&path, OFlag::O_NOFOLLOW).then_some(path)
                })
        })
        .or_else(system)
        .map_or_else(temporary, Directory::Existing)
}

/// `TMPDIR/pidfile-UID`.
///
/// `/tmp` is open to everybody and serves where TMPDIR does not: nobody can take away there what
/// another one has made. A variable that names an open directory says nothing of the kind.
pub(crate) fn temporary() -> Directory {
    let base = variable("TMPDIR").and_then(|value| if_usable(&value));
    Directory::Private {
        base: base.unwrap_or_else(|| PathBuf::from("/tmp")),
        name: format!("pidfile-{}", geteuid()),
    }
}

/// What a variable names, if it is a directory we can trust and use. A symbolic link is not
/// followed: nobody says who made it.
fn if_usable(value: &OsStr) -> Option<PathBuf> {
    let path = PathBuf::from(value);
    (path.is_absolute() && is_usable(&path, OFlag::O_NOFOLLOW)).then_some(path)
}

/// A variable, if the environment is this user's own: who starts a set-uid program chooses its
/// variables.
fn variable(name: &str) -> Option<OsString> {
    (getuid() == geteuid() && getgid() == getegid())
        .then(|| env::var_os(name))
        .flatten()
}

/// Whether a directory is ours or root's, closed to others, and writable for us.
fn is_usable(path: &Path, flags: OFlag) -> bool {
    let Ok(dir) = open_at(AT_FDCWD, path, SEARCH | flags, Mode::empty()) else {
        return false;
    };
    let wanted = AccessFlags::W_OK | AccessFlags::X_OK;
    fstat(&dir).is_ok_and(|stat| is_private(&stat))
        && faccessat(&dir, ".", wanted, AtFlags::AT_EACCESS).is_ok()
}

/// Whether only we and root decide what is in a directory.
pub(crate) fn is_private(stat: &FileStat) -> bool {
    let is_ours_or_roots = stat.st_uid == 0 || stat.st_uid == geteuid().as_raw();
    is_ours_or_roots && stat.st_mode & (libc::S_IWGRP | libc::S_IWOTH) == 0
}

fn open(path: &Path) -> std::result::Result<OwnedFd, Errno> {
    open_at(AT_FDCWD, path, SEARCH, Mode::empty())
}

/// Opens the private directory, after `prepare` had the chance to make it.
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
            return Err(insecure(
                path,
                "it is no directory; remove it, or set `dir`",
            ));
        }
        opened => opened.map_err(|errno| cannot(Action::OpenDirectory, path, errno))?,
    };
    let stat = fstat(&dir).map_err(|errno| cannot(Action::Inspect, path, errno))?;
    if stat.st_uid != geteuid().as_raw() || stat.st_mode & 0o077 != 0 {
        return Err(insecure(
            path,
            format!(
                "{}; it must be ours alone, remove it or set `dir`",
                describe(&stat)
            ),
        ));
    }
    Ok(dir)
}

/// Makes the missing components of an absolute path one by one.
fn make(path: &Path) -> Result<OwnedFd> {
    let root = || open(Path::new("/")).map_err(|errno| cannot(Action::OpenDirectory, path, errno));
    let mut here = root()?;
    let mut here_path = PathBuf::from("/");
    let mut todo = components(path);
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        let next_path = here_path.join(&name);
        let opened = match open_component(&here, &name) {
            Err(Errno::ENOENT) => {
                require_private(&here, &here_path)?;
                match mkdirat(&here, name.as_os_str(), Mode::from_bits_truncate(0o755)) {
                    Ok(()) | Err(Errno::EEXIST) => {}
                    Err(errno) => return Err(cannot(Action::MakeDirectory, &next_path, errno)),
                }
                open_component(&here, &name)
            }
            opened => opened,
        };
        match opened {
            Ok(next) => (here, here_path) = (next, next_path),
            // With O_NOFOLLOW and O_DIRECTORY a link is ENOTDIR, or one of the other two.
            Err(refusal @ (Errno::ENOTDIR | Errno::ELOOP | Errno::EMLINK)) => {
                let Ok(target) = readlinkat(&here, name.as_os_str()) else {
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
                for name in components(&target).into_iter().rev() {
                    todo.push_front(name);
                }
            }
            Err(errno) => return Err(cannot(Action::OpenDirectory, &next_path, errno)),
        }
    }
    Ok(here)
}

fn open_component(dir: &OwnedFd, name: &OsStr) -> std::result::Result<OwnedFd, Errno> {
    open_at(dir, name, SEARCH | OFlag::O_NOFOLLOW, Mode::empty())
}

fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|component| matches!(component, Component::Normal(_) | Component::ParentDir))
        .map(|component| component.as_os_str().to_owned())
        .collect()
}

fn require_private(dir: impl AsFd, path: &Path) -> Result<()> {
    let stat = fstat(dir).map_err(|errno| cannot(Action::Inspect, path, errno))?;
    if is_private(&stat) {
        return Ok(());
    }
    Err(insecure(
        path,
        format!(
            "{}, so nothing is made below it; make the directory yourself",
            describe(&stat)
        ),
    ))
}

/// Who may change a directory.
fn describe(stat: &FileStat) -> String {
    format!(
        "it belongs to user {} and has mode {:o}",
        stat.st_uid,
        stat.st_mode & 0o7777
    )
}

fn insecure(path: &Path, why: impl Into<String>) -> Error {
    Error::Insecure {
        path: path.to_owned(),
        why: why.into(),
    }
}

fn cannot(action: Action, path: &Path, errno: Errno) -> Error {
    Error::Io {
        action,
        path: path.to_owned(),
        source: errno.into(),
    }
}
