//! The directory, described in words that are the same in every run: processes by their place in the
//! scenario, files by who has made them.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

use super::calls::Touched;
use crate::support::Stepped;

/// A process, by its place in the scenario.
pub(super) type Member = usize;

/// The name that all processes want.
pub(super) const NAME: &str = "it.pid";

/// A lock as a process sees it that opens the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Lock {
    Free,
    Shared,
    Exclusive,
}

/// What has a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Which file it is.
    pub(super) file: String,
    pub(super) content: Content,
    pub(super) lock: Lock,
    links: u64,
}

/// What a file contains.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Content {
    Empty,
    /// The record of one of the processes. `whole` if it is exactly that, without line ends behind.
    Record {
        of: Member,
        whole: bool,
    },
    Other(String),
}

/// The directory and the processes that share it.
pub(super) struct World {
    dir: PathBuf,
    pub(super) device: u64,
    members: Vec<u32>,
    /// Who has made a file, and as which of its files. Numbers of inodes are used again.
    files: HashMap<u64, (Option<Member>, usize)>,
    made: HashMap<Option<Member>, usize>,
    /// Files that have or had a name.
    shared: HashSet<u64>,
    /// Random names, in the order of their appearance.
    hidden: Vec<String>,
}

impl World {
    /// A directory with what is there before the processes start.
    pub(super) fn new(dir: &Path, members: Vec<u32>) -> World {
        let mut world = World {
            dir: dir.to_owned(),
            device: fs::metadata(dir).expect("the folder").dev(),
            members,
            files: HashMap::new(),
            made: HashMap::new(),
            shared: HashSet::new(),
            hidden: Vec::new(),
        };
        for entry in fs::read_dir(dir).expect("the folder") {
            let facts = entry.expect("an entry").metadata().expect("it is there");
            world.made_by(None, facts.ino());
            world.has_name(facts.ino());
        }
        world
    }

    pub(super) fn member(&self, pid: u32) -> Option<Member> {
        self.members.iter().position(|member| *member == pid)
    }

    pub(super) fn pid(&self, member: Member) -> u32 {
        self.members[member]
    }

    /// Whether a file may be open in more than one process.
    pub(super) fn is_shared(&self, (device, inode): (u64, u64)) -> bool {
        device == self.device && self.shared.contains(&inode)
    }

    /// A process has made a file.
    pub(super) fn made_by(&mut self, maker: Option<Member>, inode: u64) {
        let count = self.made.entry(maker).or_default();
        self.files.insert(inode, (maker, *count));
        *count += 1;
        self.shared.remove(&inode);
    }

    /// A file has got a name.
    pub(super) fn has_name(&mut self, inode: u64) {
        self.shared.insert(inode);
    }

    /// The inode that has the name.
    pub(super) fn inode(&self, name: &[u8]) -> Option<u64> {
        let path = self.dir.join(OsStr::from_bytes(name));
        Some(fs::symlink_metadata(path).ok()?.ino())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    pub(super) fn file(&self, inode: u64) -> String {
        match self.files.get(&inode) {
            Some((Some(maker), count)) => format!("{maker}.{count}"),
            Some((None, count)) => format!("old.{count}"),
            None => "unknown".to_owned(),
        }
    }

    /// The file that a call removes from the name that all want.
    pub(super) fn loses_its_name(&self, touched: &Touched) -> Option<String> {
        let [name] = touched.names.as_slice() else {
            return None;
        };
        let inode = self.inode(name)?;
        (touched.verb == "unlink" && name == NAME.as_bytes()).then(|| self.file(inode))
    }

    /// What can be seen in the directory, in order of the names.
    pub(super) fn look(&mut self) -> Vec<Entry> {
        let mut names: Vec<_> = fs::read_dir(&self.dir)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        let mut entries: Vec<_> = names
            .into_iter()
            .map(|name| {
                let path = self.dir.join(&name);
                let facts = fs::symlink_metadata(&path).expect("it is there");
                Entry {
                    name: self.name(name.as_bytes()),
                    file: self.file(facts.ino()),
                    content: self.content(&path),
                    lock: lock(&path),
                    links: facts.nlink(),
                }
            })
            .collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        entries
    }

    /// A name without the number of its process and without what is random in it.
    fn name(&mut self, name: &[u8]) -> String {
        let name = String::from_utf8_lossy(name).into_owned();
        let Some(rest) = name.strip_prefix(".pidfile.") else {
            return name;
        };
        let owner = rest.split('.').next().and_then(|pid| pid.parse().ok());
        let owner = owner.and_then(|pid| self.member(pid));
        let mine = format!(".pidfile.{owner:?}.");
        let known = |known: &String| *known == name;
        let index = self.hidden.iter().position(known).unwrap_or_else(|| {
            self.hidden.push(name.clone());
            self.hidden.len() - 1
        });
        // Counted among the names of the same process, since the others may come in any order.
        let prefix = &name[..name.rfind('.').unwrap_or_default()];
        let earlier = self.hidden[..index]
            .iter()
            .filter(|other| other.starts_with(prefix))
            .count();
        format!("{mine}{earlier}")
    }

    fn content(&self, path: &Path) -> Content {
        let bytes = fs::read(path).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.is_empty() {
            return Content::Empty;
        }
        match text
            .trim_end()
            .parse()
            .ok()
            .and_then(|pid| self.member(pid))
        {
            Some(of) => Content::Record {
                of,
                whole: text.ends_with('\n') && !text.ends_with("\n\n"),
            },
            None => Content::Other(text),
        }
    }

    /// What a call meets.
    pub(super) fn describe(&mut self, process: &Stepped, touched: &Touched) -> String {
        let mut words = vec![touched.verb.to_owned()];
        if touched.flags != 0 {
            words.push(format!("{:#x}", touched.flags));
        }
        for name in &touched.names {
            let path = self.dir.join(OsStr::from_bytes(name));
            let named = self.name(name);
            words.push(named);
            let facts = fs::symlink_metadata(&path).ok();
            words.push(self.what(facts.as_ref(), &path));
        }
        if let Some(descriptor) = touched.descriptor {
            let path = PathBuf::from(format!("/proc/{}/fd/{descriptor}", process.pid()));
            let facts = fs::metadata(&path).ok();
            words.push(self.what(facts.as_ref(), &path));
        }
        words.join(" ")
    }

    fn what(&self, facts: Option<&Metadata>, path: &Path) -> String {
        match facts {
            Some(facts) => format!(
                "({} {} {:?})",
                self.file(facts.ino()),
                facts.nlink(),
                self.content(path)
            ),
            None => "(none)".to_owned(),
        }
    }
}

/// All processes are stopped, so no one notices the attempt.
fn lock(path: &Path) -> Lock {
    let Ok(file) = File::open(path) else {
        return Lock::Free;
    };
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Err(_) => Lock::Exclusive,
        Ok(shared) => match shared.relock(FlockArg::LockExclusiveNonblock) {
            Ok(()) => Lock::Free,
            Err(_) => Lock::Shared,
        },
    }
}
