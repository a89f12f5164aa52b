//! Where an operation takes place: what is there before, what the kernel refuses, and what can be seen
//! at the two marks.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use nix::unistd::Pid;
use pidfile::Options;

use super::calls::SLEEP;
use super::neighbours::{Bystander, Holder};
use crate::support::tracer::{Call, Surroundings};
use crate::support::{descriptors, is_locked};

/// A number that no process has.
pub(super) const DEAD: &str = "4194305\n";

/// The name by which an adoption gives the new file its own.
pub(super) const LEFTOVER: &str = ".it.pid.adopt";

/// What has the name before the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// Not even the directory.
    NoDirectory,
    Nothing,
    Stale,
    /// What a killed adoption has left since the reservation, which looks for it itself.
    Leftover,
    /// The same beside a stale file.
    StaleAndLeftover,
    /// A file that this process holds.
    Held,
    /// A stale file that names a bystander, and one that this process holds.
    Named,
    HeldButNamed,
    /// A file that another program holds. It may be suspended, or ignore SIGTERM.
    Running,
    Suspended,
    Stubborn,
}

/// How a file gets its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A nameless file is linked.
    Nameless,
    /// A hidden file is linked.
    Hidden,
    /// A nameless file cannot be linked, so a hidden one is made and renamed.
    LinkRefused,
    /// A hidden file is renamed.
    Renamed,
    /// The file is made under its own name.
    OwnName,
    /// Nothing can be made in the directory or removed from it.
    InPlace,
    /// A nameless file is linked, and there are no descriptors of processes.
    NoPidfd,
}

/// An operation and its circumstances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scenario {
    pub(super) operation: &'static str,
    pub(super) before: Before,
    pub(super) form: Form,
}

impl Scenario {
    pub(super) fn has_leftover(self) -> bool {
        matches!(self.before, Before::Leftover | Before::StaleAndLeftover)
    }

    /// Whether the operation is about another process.
    pub(super) fn is_from_outside(self) -> bool {
        matches!(
            self.before,
            Before::Named
                | Before::HeldButNamed
                | Before::Running
                | Before::Suspended
                | Before::Stubborn
        )
    }
}

impl Form {
    /// How the kernel refuses a call.
    pub(super) fn refuses(self, call: &Call) -> Option<Errno> {
        let creates = |flags: libc::c_int| {
            call.number == libc::SYS_openat && call.arguments[2] & bits(flags) == bits(flags)
        };
        let nameless = creates(libc::O_TMPFILE);
        let link = call.number == libc::SYS_linkat;
        let rename = call.number == libc::SYS_renameat2;
        match self {
            Form::LinkRefused => link.then_some(Errno::EPERM),
            Form::Hidden | Form::Renamed | Form::OwnName if nameless => Some(Errno::EOPNOTSUPP),
            Form::Renamed | Form::OwnName if link => Some(Errno::EPERM),
            Form::OwnName if rename => Some(Errno::EINVAL),
            Form::NoPidfd => (call.number == libc::SYS_pidfd_open).then_some(Errno::ENOSYS),
            Form::Nameless | Form::Hidden | Form::Renamed | Form::OwnName => None,
            Form::InPlace => {
                let changes = [libc::SYS_linkat, libc::SYS_unlinkat, libc::SYS_renameat];
                let changes =
                    nameless || rename || creates(libc::O_CREAT) || changes.contains(&call.number);
                changes.then_some(Errno::EACCES)
            }
        }
    }
}

fn bits(flags: libc::c_int) -> u64 {
    u64::from(flags.cast_unsigned())
}

/// What can be seen of the program and its file at a mark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sight {
    /// How many descriptors the program has.
    pub(super) descriptors: usize,
    pub(super) names: Vec<String>,
    /// What the file contains, if it is there.
    pub(super) record: Option<String>,
    pub(super) inode: Option<u64>,
    pub(super) is_locked: bool,
    pub(super) holder_is_running: bool,
}

/// A folder with a scenario in it.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) scenario: Scenario,
    pub(super) path: PathBuf,
    dir: PathBuf,
    held: Option<Flock<File>>,
    pub(super) holder: Option<Holder>,
    pub(super) begun: Option<Sight>,
    pub(super) ended: Option<Sight>,
}

impl Scene {
    pub(super) fn new(scenario: Scenario, dir: &Path, bystander: &Bystander) -> Scene {
        let _ = fs::remove_dir_all(dir);
        if scenario.before != Before::NoDirectory {
            fs::create_dir(dir).expect("a folder");
        }
        let path = dir.join("it.pid");
        let mut held = None;
        match scenario.before {
            Before::NoDirectory
            | Before::Nothing
            | Before::Leftover
            | Before::Running
            | Before::Suspended
            | Before::Stubborn => {}
            Before::Named => {
                fs::write(&path, bystander.record()).expect("a stale file");
            }
            Before::Stale => fs::write(&path, DEAD).expect("a stale file"),
            Before::StaleAndLeftover => {
                fs::write(&path, DEAD).expect("a stale file");
                fs::write(dir.join(LEFTOVER), DEAD).expect("a leftover");
            }
            Before::Held | Before::HeldButNamed => {
                let file = File::create(&path).expect("a file");
                let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock);
                let mut lock = lock.map_err(|(_, errno)| errno).expect("a lock");
                let record = match scenario.before {
                    Before::Held => format!("{}\n", std::process::id()),
                    _ => bystander.record(),
                };
                lock.write_all(record.as_bytes()).expect("a record");
                held = Some(lock);
            }
        }
        Scene {
            scenario,
            dir: dir.into(),
            held,
            holder: Holder::start(scenario.before, &path),
            path,
            begun: None,
            ended: None,
        }
    }

    /// What can be seen while no program runs.
    pub(super) fn now(&self) -> Sight {
        // The folder may not be there.
        let entries = fs::read_dir(&self.dir).into_iter().flatten();
        let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = entries
            .map(|entry| name(entry.expect("an entry")))
            .collect();
        // A fault may keep it from being removed, and it blocks no start.
        let is_left = self.scenario.has_leftover();
        names.retain(|name| !is_left || name != LEFTOVER);
        names.sort();
        Sight {
            holder_is_running: false,
            descriptors: 0,
            names,
            record: fs::read_to_string(&self.path).ok(),
            inode: fs::metadata(&self.path)
                .ok()
                .map(|facts| std::os::unix::fs::MetadataExt::ino(&facts)),
            is_locked: is_locked(&self.path),
        }
    }

    /// The options of the start under test.
    pub(super) fn options(&self) -> Options {
        match self.scenario.before {
            Before::NoDirectory => Options::new().dir(&self.dir).name("it"),
            _ => Options::new().path(&self.path),
        }
    }

    fn at_mark(&mut self, pid: Pid) -> Sight {
        Sight {
            holder_is_running: self.holder.as_mut().is_some_and(Holder::is_running),
            descriptors: descriptors(pid.as_raw().cast_unsigned()).len(),
            ..self.now()
        }
    }

    /// This process gives its file up, as a holder does.
    pub(super) fn let_go(&mut self) {
        let Some(lock) = self.held.take() else {
            return;
        };
        if self.scenario.form == Form::InPlace {
            lock.set_len(0).expect("it is open for writing");
        } else {
            fs::remove_file(&self.path).expect("it is there");
        }
        drop(lock);
    }

    pub(super) fn is_held_by_test(&self) -> bool {
        self.held.is_some()
    }
}

impl Surroundings for Scene {
    fn refuses(&self, call: &Call) -> Option<Errno> {
        self.scenario.form.refuses(call)
    }

    /// A program that waits for the holder has inspected the file, and goes to sleep.
    fn before(&mut self, call: &Call) {
        // A process's descriptor is asked for news without a sleep.
        let sleeps = match call.number {
            libc::SYS_poll => call.arguments[2] != 0,
            number => SLEEP.contains(&number),
        };
        if sleeps && matches!(self.scenario.operation, "wait" | "replace") {
            self.let_go();
        }
        if let Some(holder) = &mut self.holder {
            holder.notice(call, sleeps);
        }
    }

    fn begins(&mut self, pid: Pid) {
        if self.scenario.before == Before::Leftover {
            fs::write(self.dir.join(LEFTOVER), DEAD).expect("a leftover");
        }
        self.begun = Some(self.at_mark(pid));
    }

    fn ends(&mut self, pid: Pid) {
        self.ended = Some(self.at_mark(pid));
    }
}
