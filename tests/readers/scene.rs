//! Where programs write a file and readers read it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};

use nix::sys::statfs::{TMPFS_MAGIC, statfs};
use tempfile::TempDir;

use super::reader::{Seen, Way, read};
use crate::support::{Program, Sandbox, Script, USER, needs, set_mode};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tmpfs,
    Disk,
}

impl Place {
    /// A folder there.
    fn folder(self) -> Option<TempDir> {
        let places = [
            std::env::temp_dir(),
            PathBuf::from("/var/tmp"),
            PathBuf::from("/dev/shm"),
            // Other users may not get there.
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
        ];
        let is_here = |place: &PathBuf| {
            statfs(place).is_ok_and(|facts| {
                let is_tmpfs = facts.filesystem_type() == TMPFS_MAGIC;
                is_tmpfs == (self == Place::Tmpfs)
            })
        };
        let folder = places
            .into_iter()
            .filter(is_here)
            .find_map(|place| tempfile::tempdir_in(place).ok());
        let what = match self {
            Place::Tmpfs => "a folder on tmpfs",
            Place::Disk => "a folder that is not on tmpfs",
        };
        needs(folder.is_some(), what);
        folder
    }
}

/// How a file comes to be where it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It is published whole, and its content never changes.
    Published,
    /// An existing file is written to by a user who cannot write to its directory.
    InPlace,
}

/// Where programs write and readers read.
pub(super) struct Scene {
    sandbox: Sandbox,
    place: Place,
    pub(super) form: Form,
    pub(super) path: PathBuf,
    dir: PathBuf,
    _folder: TempDir,
}

impl Scene {
    pub(super) fn new(place: Place, form: Form) -> Option<Scene> {
        let sandbox = Sandbox::new();
        let folder = place.folder()?;
        set_mode(folder.path(), 0o755);
        let dir = folder.path().join("run");
        fs::create_dir(&dir).unwrap();
        let scene = Scene {
            sandbox,
            place,
            form,
            path: dir.join("it.pid"),
            dir,
            _folder: folder,
        };
        if form == Form::InPlace {
            scene.lay("");
        }
        Some(scene)
    }

    /// Puts a file there that an ordinary user may write to, in a directory that this user may not.
    #[track_caller]
    pub(super) fn lay(&self, record: &str) {
        set_mode(&self.dir, 0o755);
        let next = self.dir.join("next");
        fs::write(&next, record).unwrap();
        if nix::unistd::geteuid().is_root() {
            chown(&next, Some(USER), Some(USER)).unwrap();
        }
        fs::rename(&next, &self.path).unwrap();
        set_mode(&self.dir, 0o555);
    }

    #[track_caller]
    pub(super) fn start(&self, kind: &str) -> Program {
        let script = Script::of(env!("CARGO_BIN_EXE_writers"))
            .argument(kind)
            .argument(&self.path);
        match self.form {
            Form::Published => script.start(),
            Form::InPlace => script.unprivileged(&self.sandbox).start(),
        }
    }

    /// Reads in every way at once, while `write` is called over and over.
    #[track_caller]
    pub(super) fn read(
        &self,
        is_enough: impl Fn(&Seen) -> bool + Sync,
        mut write: impl FnMut(),
    ) -> Vec<Seen> {
        thread::scope(|scope| {
            let is_enough = &is_enough;
            let ways: &[Way] = match self.form {
                Form::Published => &[Way::AtOnce, Way::ByteByByte, Way::Mapped],
                // A reader that makes a call for each byte may see the beginning of one record and
                // the end of another.
                Form::InPlace => &[Way::AtOnce, Way::AtOnce],
            };
            let read = |way: &Way| {
                let way = *way;
                scope.spawn(move || read(&self.path, way, is_enough))
            };
            let readers: Vec<_> = ways.iter().map(read).collect();
            while !readers.iter().all(ScopedJoinHandle::is_finished) {
                write();
            }
            let join = |reader: ScopedJoinHandle<Seen>| reader.join().expect("a reader");
            readers.into_iter().map(join).collect()
        })
    }

    /// That each record that was seen is one of these, and whole.
    #[track_caller]
    pub(super) fn check(&self, seen: &[Seen], possible: &BTreeSet<String>) {
        for seen in seen {
            for record in &seen.records {
                let is_whole = match self.form {
                    Form::Published => possible.contains(record),
                    Form::InPlace => self.is_whole_in_place(record, possible),
                };
                assert!(is_whole, "{record:?} in {seen:?}");
            }
        }
    }

    /// Whether one call may read this while one of the records takes the place of another.
    fn is_whole_in_place(&self, seen: &str, possible: &BTreeSet<String>) -> bool {
        possible.iter().any(|record| {
            // Blank lines take the place of what is not cut off yet, and NULs that of what was cut
            // off while it was read.
            let is_padding = |below: &str| below.chars().all(|below| "\n\0".contains(below));
            // On tmpfs a call that has come to the end of the file asks once more whether it has
            // grown. So the end of a longer record may follow the old one, which is whole.
            let has_grown = |below| {
                let longer = possible
                    .iter()
                    .filter_map(|longer| longer.get(record.len()..));
                self.place == Place::Tmpfs && longer.into_iter().any(|end| end == below)
            };
            let below = seen.strip_prefix(record.as_str());
            below.is_some_and(|below| {
                seen == record || (!record.is_empty() && (is_padding(below) || has_grown(below)))
            })
        })
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // So that an ordinary user can remove what is in it.
        set_mode(&self.dir, 0o755);
    }
}
