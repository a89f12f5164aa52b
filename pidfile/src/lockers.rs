//! Which process has a file locked, as far as the kernel reports it.
//!
//! A record is a label and may name any process: one that died before the file
//! was taken over, or one that was given its id since. A message that asks an
//! operator to stop a process must name one that is known to have the lock.
//! Linux shows this in `/proc/PID/fdinfo`, which only the user of that process
//! may read, and in `/proc/locks`, which lists the process that called `flock`.

use std::os::fd::{AsFd, AsRawFd};

use crate::sys;

/// The process that has the exclusive lock of a file, if that is certain. `recorded`, the process
/// that the file names, is checked first.
///
/// # Platform-specific behavior
///
/// On Linux without `/proc` this is `None`. On other systems it is the recorded process, if that is
/// alive.
pub(crate) fn holder(file: impl AsFd, recorded: Option<u32>) -> Option<u32> {
    proc::holder(file.as_fd().as_raw_fd(), recorded)
}

/// Whether that process has the exclusive lock of a file, if that is certain. Unlike [`holder`], it
/// looks for no other process.
///
/// # Platform-specific behavior
///
/// The same as for [`holder`].
pub(crate) fn has_lock(file: impl AsFd, pid: u32) -> bool {
    proc::is_holder(file.as_fd().as_raw_fd(), pid)
}

/// Whether a file that is free by its own lock, or that we have just locked, is locked exclusively
/// as another inode.
///
/// The kernel ties a lock to its inode. A FUSE file system may give one file a second inode of the
/// same number while a process holds the first one. (gocryptfs does so if the kernel forgets a
/// removed file only after its number has been given to the new one.) `recorded` returns the process
/// that the file names, which is checked first.
///
/// # Platform-specific behavior
///
/// On systems other than Linux, and on Linux without `/proc`, this is `false`. A `/proc` that shows
/// nothing but processes is enough if the recorded process has the lock and belongs to this user.
/// A process in another pid namespace that is not below ours is not found.
pub(crate) fn has_locked_twin(file: impl AsFd, recorded: impl FnOnce() -> Option<u32>) -> bool {
    let file = file.as_fd().as_raw_fd();
    sys::is_on_fuse(file) && proc::has_locked_twin(file, recorded())
}

/// A process that shares the exclusive lock of a file because it was forked from the one that set
/// it. This inspects every process, so it is only for an error that has no other process to name.
///
/// # Platform-specific behavior
///
/// On systems other than Linux this is `None`. Processes that we may not inspect are not found.
pub(crate) fn heir(file: impl AsFd) -> Option<u32> {
    proc::heir(file.as_fd().as_raw_fd())
}

#[cfg(target_os = "linux")]
pub(crate) mod proc {
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
        let inode = Inode::of(file)?;
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
        let inode = proc::is_ours().then(|| Inode::of(file)).flatten();
        inode.is_some_and(|inode| {
            has_lock(pid, &inode)
                .unwrap_or_else(|| process::is_alive(pid) && listed(&inode) == Some(pid))
        })
    }

    pub(super) fn has_locked_twin(file: RawFd, recorded: Option<u32>) -> bool {
        let Some(inode) = Inode::of(file) else {
            return false;
        };
        let is_locked_by = |pid| pid != std::process::id() && has_lock(pid, &inode) == Some(true);
        proc::is_ours() && recorded.is_some_and(is_locked_by) || is_listed_twice(&inode, file)
    }

    /// Whether the list has a lock that is not that of our own descriptor.
    fn is_listed_twice(inode: &Inode, file: RawFd) -> bool {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{file}")).unwrap_or_default();
        // Without our own lock there, the file system keeps its locks itself, or Linux is older than
        // 4.1. Then the list cannot tell.
        if locks_in(&info).next().is_none() {
            return false;
        }
        let own = locks_in(&info).find_map(|line| inode.owner_in(line));
        let other = search(all_locks, |locks| {
            let mut owners: Vec<_> = locks.filter_map(|line| inode.owner_in(line)).collect();
            if let Some(at) = owners.iter().position(|owner| Some(*owner) == own) {
                owners.swap_remove(at);
            }
            owners.pop().map(drop)
        });
        other.is_some()
    }

    /// The process that set the exclusive lock, according to the list of all locks of the system.
    /// The second choice: the list may be long, and while it is read, every `flock` waits.
    fn listed(inode: &Inode) -> Option<u32> {
        search(all_locks, |mut locks| {
            locks.find_map(|line| inode.locked_by(line))
        })
    }

    /// Looks for something in the list of all locks, again and again if an entry may be missing.
    fn search<T>(
        mut read: impl FnMut() -> io::Result<String>,
        find: impl Fn(Lines<'_>) -> Option<T>,
    ) -> Option<T> {
        for _ in 0..READS {
            let locks = read().ok()?;
            let found = find(locks.lines());
            if found.is_some() || locks.len() < ONE_PAGE {
                return found;
            }
        }
        None
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
        let inode = Inode::of(file)?;
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
        fn of(file: RawFd) -> Option<Inode> {
            let info = fs::read_to_string(format!("/proc/self/fdinfo/{file}")).ok()?;
            let mounts = fs::read("/proc/self/mountinfo").ok()?;
            Inode::parse(&info, &String::from_utf8_lossy(&mounts), || {
                Some(sys::stat(file).ok()?.id.ino)
            })
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
                (reads, found.is_some())
            };
            assert_eq!(reads(ONE_PAGE, 0), (1, true));
            assert_eq!(reads(ONE_PAGE, 9), (10, true));
            assert_eq!(reads(ONE_PAGE, 10), (10, false));
            assert_eq!(reads(10 * ONE_PAGE, 10), (10, false));
            assert_eq!(reads(ONE_PAGE - 1, 0), (1, true));
            assert_eq!(reads(ONE_PAGE - 1, 9), (1, false));
            assert_eq!(search(|| Err(io::ErrorKind::NotFound.into()), find), None);
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
}

#[cfg(not(target_os = "linux"))]
mod proc {
    use std::os::fd::RawFd;

    use crate::process;

    pub(super) fn holder(_: RawFd, recorded: Option<u32>) -> Option<u32> {
        recorded.filter(|pid| process::is_alive(*pid))
    }

    pub(super) fn is_holder(_: RawFd, pid: u32) -> bool {
        process::is_alive(pid)
    }

    pub(super) fn has_locked_twin(_: RawFd, _: Option<u32>) -> bool {
        false
    }

    pub(super) fn heir(_: RawFd) -> Option<u32> {
        None
    }
}
