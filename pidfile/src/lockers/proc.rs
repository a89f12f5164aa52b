//! The locks that `/proc` shows: those of a process in its `fdinfo`, and all in `/proc/locks`.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::RawFd;
use std::str::Lines;

use crate::process::{self, proc};
use crate::sys;

/// How often the list is read. It comes page by page, and a lock that is released between two
/// pages makes the next one begin too late, so that an entry may be missing.
const READS: usize = 10;
/// A shorter list came in one page, so no entry is missing. Every page has 4,096 bytes or more,
/// and is full if the next line, which is much shorter than 256 bytes, does not fit.
const ONE_PAGE: usize = 4096 - 256;
/// Room for a thousand locks, so that each call asks for a page and not for a few bytes.
const ROOM: usize = 1 << 16;

/// An inode as `/proc/locks` and `fdinfo` name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inode(pub(crate) String);

pub(super) fn holder(file: RawFd, recorded: Option<u32>) -> Option<u32> {
    if !proc::is_ours() {
        return None;
    }
    let inode = Inode::of(file).ok()?;
    if let Some(pid) = recorded {
        if has_lock(pid, &inode) == Some(true) {
            return Some(pid);
        }
    }
    let pid = listed(&inode)?;
    // It may have left the lock to a forked worker meanwhile.
    (process::is_alive(pid) && has_lock(pid, &inode) != Some(false)).then_some(pid)
}

pub(super) fn is_holder(file: RawFd, pid: u32) -> bool {
    let inode = proc::is_ours().then(|| Inode::of(file).ok()).flatten();
    inode.is_some_and(|inode| {
        has_lock(pid, &inode)
            .unwrap_or_else(|| process::is_alive(pid) && listed(&inode) == Some(pid))
    })
}

pub(super) fn has_locked_twin(file: RawFd, recorded: Option<u32>) -> io::Result<bool> {
    let inode = Inode::of(file)?;
    let is_locked_by = |pid| pid != std::process::id() && has_lock(pid, &inode) == Some(true);
    if proc::is_ours() && recorded.is_some_and(is_locked_by) {
        return Ok(true);
    }
    is_listed_twice(&inode, file)
}

/// Whether the list has a lock that is not that of our own descriptor.
fn is_listed_twice(inode: &Inode, file: RawFd) -> io::Result<bool> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{file}"))?;
    // Without our own lock there, the file system keeps its locks itself, or Linux is older than
    // 4.1. Then the list cannot tell.
    if locks_in(&info).next().is_none() {
        return Ok(false);
    }
    let own = locks_in(&info).find_map(|line| inode.owner_in(line));
    let other = search(all_locks, |locks| {
        let mut owners: Vec<_> = locks.filter_map(|line| inode.owner_in(line)).collect();
        if let Some(at) = owners.iter().position(|owner| Some(*owner) == own) {
            owners.swap_remove(at);
        }
        owners.pop().map(drop)
    })?;
    Ok(other.is_some())
}

/// The process that set the exclusive lock, according to the list of all locks of the system.
/// The second choice: the list may be long, and while it is read, every `flock` waits.
fn listed(inode: &Inode) -> Option<u32> {
    search(all_locks, |mut locks| {
        locks.find_map(|line| inode.locked_by(line))
    })
    .ok()?
}

/// Looks for something in the list of all locks, again and again if an entry may be missing.
fn search<T>(
    mut read: impl FnMut() -> io::Result<String>,
    find: impl Fn(Lines<'_>) -> Option<T>,
) -> io::Result<Option<T>> {
    for _ in 0..READS {
        let locks = read()?;
        let found = find(locks.lines());
        if found.is_some() || locks.len() < ONE_PAGE {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The list, in as few calls as the kernel allows. It stops all locking for each of them.
fn all_locks() -> io::Result<String> {
    let mut locks = String::with_capacity(ROOM);
    File::open("/proc/locks")?.read_to_string(&mut locks)?;
    Ok(locks)
}

pub(super) fn heir(file: RawFd) -> Option<u32> {
    if !proc::is_ours() {
        return None;
    }
    let inode = Inode::of(file).ok()?;
    fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|pid| has_lock(*pid, &inode) == Some(true))
}

/// Whether a descriptor of that process has the exclusive lock; `None` if we may not read them.
fn has_lock(pid: u32, inode: &Inode) -> Option<bool> {
    let descriptors: Vec<_> = fs::read_dir(format!("/proc/{pid}/fdinfo")).ok()?.collect();
    if !descriptors.is_empty() {
        return is_locked_in(descriptors.into_iter(), inode);
    }
    // The main thread has ended, so its descriptors are no longer shown. The other threads
    // still have them.
    for thread in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let descriptors = fs::read_dir(thread.ok()?.path().join("fdinfo")).ok()?;
        if is_locked_in(descriptors, inode)? {
            return Some(true);
        }
    }
    Some(false)
}

fn is_locked_in(
    mut descriptors: impl Iterator<Item = io::Result<fs::DirEntry>>,
    inode: &Inode,
) -> Option<bool> {
    descriptors.try_fold(false, |found, entry| {
        // It may have been closed meanwhile.
        let info = fs::read_to_string(entry.ok()?.path()).unwrap_or_default();
        Some(found || locks_in(&info).any(|line| inode.is_locked_in(line)))
    })
}

/// The locks in the text of `fdinfo`, in the form of `/proc/locks`.
fn locks_in(info: &str) -> impl Iterator<Item = &str> {
    info.lines().filter_map(|line| line.strip_prefix("lock:"))
}

impl Inode {
    /// The device is that of the file system, which the mount has. On btrfs and in some
    /// overlays `stat` reports another one.
    fn of(file: RawFd) -> io::Result<Inode> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{file}"))?;
        let mounts = fs::read("/proc/self/mountinfo")?;
        let stat = || Some(sys::stat(file).ok()?.id.ino);
        Inode::parse(&info, &String::from_utf8_lossy(&mounts), stat)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The same from the texts of `fdinfo` and `mountinfo`.
    pub(crate) fn parse(
        info: &str,
        mounts: &str,
        stat: impl FnOnce() -> Option<u64>,
    ) -> Option<Inode> {
        let field = |key: &str| info.lines().find_map(|line| line.strip_prefix(key));
        // In fdinfo since Linux 5.14.
        let number = match field("ino:") {
            Some(number) => number.trim().parse().ok()?,
            None => stat()?,
        };
        let mount = field("mnt_id:")?.trim();
        let device = mounts.lines().find_map(|line| {
            let mut fields = line.split(' ');
            (fields.next() == Some(mount))
                .then(|| fields.nth(1))
                .flatten()
        })?;
        let (major, minor) = device.split_once(':')?;
        let (major, minor) = (major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?);
        Some(Inode(format!("{major:02x}:{minor:02x}:{number}")))
    }

    /// Whether a line such as `1: FLOCK  ADVISORY  WRITE 4242 00:1f:1234 0 EOF` is about an
    /// exclusive lock of this file, whoever set it.
    pub(crate) fn is_locked_in(&self, line: &str) -> bool {
        self.owner_in(line).is_some()
    }

    pub(crate) fn locked_by(&self, line: &str) -> Option<u32> {
        self.owner_in(line)?.parse().ok().filter(|pid| *pid > 0)
    }

    fn owner_in<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_exclusive = fields.next()? == "FLOCK" && fields.nth(1)? == "WRITE";
        let owner = fields.next()?;
        (is_exclusive && fields.next()? == self.0).then_some(owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_many_pages_is_read_again_until_the_entry_is_there() {
        let find = |mut locks: Lines<'_>| locks.find(|line| *line == "wanted").map(drop);
        let reads = |length: usize, missing: usize| {
            let mut reads = 0;
            let found = search(
                || {
                    reads += 1;
                    let entry = if reads > missing {
                        "wanted\n"
                    } else {
                        "passed\n"
                    };
                    Ok(format!("{entry:x<length$}"))
                },
                find,
            );
            (reads, found.unwrap().is_some())
        };
        assert_eq!(reads(ONE_PAGE, 0), (1, true));
        assert_eq!(reads(ONE_PAGE, 9), (10, true));
        assert_eq!(reads(ONE_PAGE, 10), (10, false));
        assert_eq!(reads(10 * ONE_PAGE, 10), (10, false));
        assert_eq!(reads(ONE_PAGE - 1, 0), (1, true));
        assert_eq!(reads(ONE_PAGE - 1, 9), (1, false));
        search(|| Err(io::ErrorKind::NotFound.into()), find).unwrap_err();
    }

    #[test]
    fn only_an_exclusive_flock_of_the_same_inode_counts() {
        let inode = Inode("00:1f:1234".into());
        for (line, owner) in [
            (
                "1: FLOCK  ADVISORY  WRITE 4242 00:1f:1234 0 EOF",
                Some(4242),
            ),
            ("1: FLOCK  ADVISORY  WRITE 0 00:1f:1234 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE -1 00:1f:1234 0 EOF", None),
            ("1: FLOCK  ADVISORY  READ  4242 00:1f:1234 0 EOF", None),
            ("1: POSIX  ADVISORY  WRITE 4242 00:1f:1234 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE 4242 00:1f:123 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE 4242 00:2f:1234 0 EOF", None),
            ("1: -> FLOCK  ADVISORY  WRITE 4242 00:1f:1234 0 EOF", None),
            ("", None),
        ] {
            assert_eq!(inode.locked_by(line), owner, "{line}");
        }
    }
}
