//! Which directory to use if the caller names none: one from the environment,
//! or else the customary one of the system.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag};
use nix::libc;
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, faccessat, geteuid};

use crate::action::Action;
use crate::descriptor::open_at;
use crate::directory::{self, Directory};
use crate::error::{Error, Result};
use crate::sys;

/// The directory for files that live as long as the system runs: the first one that is usable.
///
/// `RUNTIME_DIRECTORY` comes from the service manager. If it cannot be used the start fails,
/// because falling back to another directory could let two instances run, each with its own file.
pub(crate) fn directory() -> Result<Directory> {
    if let Some(value) = variable("RUNTIME_DIRECTORY").filter(|value| !value.is_empty()) {
        return of_service(&value).map(Directory::Existing);
    }
    let uid = geteuid();
    let system = || {
        ["/run", "/var/run"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| is_usable(path, OFlag::empty()))
    };
    let of_session = || {
        variable("XDG_RUNTIME_DIR")
            .and_then(|value| if_usable(&value))
            .or_else(|| {
                let path = PathBuf::from(format!("/run/user/{uid}"));
                is_usable(&path, OFlag::O_NOFOLLOW).then_some(path)
            })
    };
    // Root's session directory disappears when root logs out, so root does not use it.
    let found = if uid.is_root() { None } else { of_session() };
    Ok(found
        .or_else(system)
        .map_or_else(temporary, Directory::Existing))
}

/// The first directory of `RUNTIME_DIRECTORY`, a list separated by colons.
///
/// It may be a symbolic link made by root (`DynamicUser=` with `RuntimeDirectoryPreserve=`), and
/// its group may write to it (`RuntimeDirectoryMode=0770`).
pub(crate) fn of_service(value: &OsStr) -> Result<PathBuf> {
    let first = value.as_bytes().split(|byte| *byte == b':').next();
    let path = tidy(Path::new(OsStr::from_bytes(first.unwrap_or_default())));
    let refuse = |why: String| {
        Err(Error::insecure(
            &path,
            format!("`RUNTIME_DIRECTORY` names it, and {why}; correct the variable, or set `dir`"),
        ))
    };
    if !path.is_absolute() {
        return Err(Error::config(format!(
            "`RUNTIME_DIRECTORY` is not absolute: {:?}; correct the variable, or set `dir`",
            path.as_os_str()
        )));
    }
    let opened = directory::open(&path).and_then(|dir| {
        let stat = sys::stat(dir.as_raw_fd())?;
        can_write(&dir).map(|()| stat)
    });
    let stat = opened.map_err(|errno| {
        directory::cannot(Action::OpenDirectory, &path, errno).advise(|_| {
            Some("`RUNTIME_DIRECTORY` names it; correct the variable, or set `dir`".into())
        })
    })?;
    if !directory::is_ours_or_roots(&stat) || stat.mode & libc::S_IWOTH != 0 {
        return refuse(directory::describe(&stat));
    }
    // Every symbolic link on the way is followed, provided that no other user can have made it.
    if let Some(culprit) = untrusted_link(&path) {
        return refuse(format!(
            "{} is a symbolic link made by another user",
            culprit.display()
        ));
    }
    Ok(path)
}

/// A symbolic link on the way to a directory that belongs neither to us nor to root. A link that we
/// can trust may lead through one that we cannot, so the ways of all links are followed.
fn untrusted_link(path: &Path) -> Option<PathBuf> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut ways = vec![path.to_owned()];
    while let Some(way) = ways.pop() {
        for part in tidy(&way).ancestors() {
            let Ok(target) = fs::read_link(part) else {
                continue; // Not a link.
            };
            if seen.iter().any(|link| link == part) {
                continue;
            }
            seen.push(part.to_owned());
            let is_trusted = fs::symlink_metadata(part)
                .is_ok_and(|meta| meta.uid() == 0 || meta.uid() == geteuid().as_raw());
            if !is_trusted || seen.len() > directory::MOST_LINKS {
                return Some(part.to_owned());
            }
            // A relative target begins where the link is.
            ways.push(part.parent().unwrap_or(part).join(target));
        }
    }
    None
}

/// `TMPDIR/pidfile-UID`.
///
/// If `TMPDIR` is unset or cannot be trusted, `/tmp` is used. It is sticky, so no user can remove
/// what another one created there. A directory that other users can write to without being sticky
/// gives no such protection.
pub(crate) fn temporary() -> Directory {
    let base = variable("TMPDIR").and_then(|value| if_usable(&value));
    Directory::Private {
        base: base.unwrap_or_else(|| PathBuf::from("/tmp")),
        name: format!("pidfile-{}", geteuid()),
    }
}

/// The directory that a variable names, if it can be trusted and used. A symbolic link is not
/// followed, because any user may have made it.
pub(crate) fn if_usable(value: &OsStr) -> Option<PathBuf> {
    let path = tidy(Path::new(value));
    (path.is_absolute() && is_usable(&path, OFlag::O_NOFOLLOW)).then_some(path)
}

/// The path without a slash or `.` at its end. With one, the system follows a symbolic link even where
/// it is asked not to.
fn tidy(path: &Path) -> PathBuf {
    path.components().collect()
}

/// A variable, unless the process was started with privileges of its own: the caller of a set-uid
/// program chooses its environment.
fn variable(name: &str) -> Option<OsString> {
    if sys::is_privileged_start() {
        return None;
    }
    env::var_os(name)
}

/// Whether a directory belongs to us or root, no other user can write to it, and we can.
fn is_usable(path: &Path, flags: OFlag) -> bool {
    open_at(AT_FDCWD, path, directory::SEARCH | flags, Mode::empty()).is_ok_and(|dir| {
        sys::stat(dir.as_raw_fd()).is_ok_and(|stat| directory::is_private(&stat))
            && can_write(&dir).is_ok()
    })
}

fn can_write(dir: &OwnedFd) -> nix::Result<()> {
    // Android's libc refuses every flag. Without one, the check is for the real user.
    #[cfg(target_os = "android")]
    const AS_EFFECTIVE_USER: AtFlags = AtFlags::empty();
    #[cfg(not(target_os = "android"))]
    const AS_EFFECTIVE_USER: AtFlags = AtFlags::AT_EACCESS;

    let wanted = AccessFlags::W_OK | AccessFlags::X_OK;
    sys::retry(|| faccessat(dir, ".", wanted, AS_EFFECTIVE_USER))
}
