//! A file that a FUSE file system shows as two inodes, each with locks of its own: one holder all
//! the same.
//!
//! go-fuse, the library of gocryptfs, can do that to a file with the inode number of a removed one. Once
//! the kernel forgets the removed file, go-fuse forgets the new one too, and gives it another inode at
//! the next lookup.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

#[cfg(target_arch = "x86_64")]
use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag, open};
use nix::sys::signal::Signal::{SIGKILL, SIGTERM};
use nix::sys::stat::{Mode, SFlag, mknod};

#[cfg(target_arch = "x86_64")]
use crate::support::tracer::{self, Fault, Point};
use crate::support::{
    Mount, Program, Sandbox, Snapshot, dead_process, eventually, has_program, holder, is_locked,
    is_root, lock, names, needs,
};

/// How many removed files there are, and how often it is tried to get the number of one of them.
const FILES: usize = 50;
const TRIES: usize = 20;

/// Removed files that the kernel still knows. They are open by `O_PATH` only, of which the file system
/// learns nothing, so it gives their numbers to new files.
struct Removed {
    _known: Vec<OwnedFd>,
    numbers: Vec<u64>,
}

impl Removed {
    fn from(dir: &Path) -> Removed {
        let paths: Vec<_> = (0..FILES).map(|at| dir.join(format!("old{at}"))).collect();
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let mut known = Vec::new();
        let mut numbers = Vec::new();
        for path in &paths {
            mknod(path, SFlag::S_IFREG, Mode::S_IRUSR, 0).unwrap();
            known.push(open(path, flags, Mode::empty()).unwrap());
            numbers.push(fs::metadata(path).unwrap().ino());
        }
        for path in &paths {
            fs::remove_file(path).unwrap();
        }
        Removed {
            _known: known,
            numbers,
        }
    }
}

/// Returns the result of `create`, which makes a file, once that has a second inode. `None` if the
/// machine cannot show that.
#[track_caller]
fn with_second_inode<T>(path: &Path, create: impl Fn() -> T, undo: impl Fn(T)) -> Option<T> {
    for _ in 0..TRIES {
        let removed = Removed::from(path.parent().unwrap());
        let result = create();
        if removed.numbers.contains(&fs::metadata(path).unwrap().ino()) {
            assert!(is_locked(path));
            drop(removed);
            // The kernel asks for the name again after a second.
            eventually("another inode", || !is_locked(path));
            return Some(result);
        }
        undo(result);
    }
    needs(false, "a file system that uses inode numbers again");
    None
}

/// A folder on gocryptfs.
fn mount(sandbox: &Sandbox) -> Option<Mount> {
    if !is_root() || !has_program("gocryptfs") {
        return None;
    }
    Mount::gocryptfs(sandbox)
}

/// A holder of a file that has two inodes.
struct Scene {
    first: Program,
    path: PathBuf,
    mount: Mount,
    sandbox: Sandbox,
}

impl Scene {
    /// `None` if the machine cannot show it. The holder has acquired, and takes these steps when it
    /// is told.
    #[track_caller]
    fn new(steps: &str) -> Option<Scene> {
        let sandbox = Sandbox::new();
        let mount = mount(&sandbox)?;
        let path = mount.dir().join("it.pid");
        let steps = format!("acquire wait {steps}");
        let start = || {
            let mut first = holder(&path).steps(&steps).start();
            first.expect_held(&path);
            first
        };
        let first = with_second_inode(&path, start, |mut first| first.end(Some(SIGTERM)))?;
        Some(Scene {
            first,
            path,
            mount,
            sandbox,
        })
    }

    /// That a start is refused, and is told by whom.
    #[track_caller]
    fn assert_held(&self) {
        let before = fs::read(&self.path).unwrap();
        let refusal = holder(&self.path).steps("acquire").refusal();
        refusal.expect("Locked", 75).expect_pid(self.first.pid());
        assert_eq!(fs::read(&self.path).unwrap(), before);
        assert_eq!(names(self.mount.dir()), ["it.pid"]);
    }

    /// That another process holds the file now, and leaves nothing when it ends.
    #[track_caller]
    fn assert_next(&self, next: &mut Program) {
        next.expect_held(&self.path);
        let record = fs::read_to_string(&self.path).unwrap();
        assert_eq!(record, format!("{}\n", next.pid()));
        next.end(Some(SIGTERM));
        assert!(!self.path.exists());
    }
}

#[test]
fn a_second_start_is_refused() {
    if let Some(mut scene) = Scene::new("") {
        for _ in 0..3 {
            scene.assert_held();
        }
        scene.first.tell();
        scene.first.expect_exit(0);
        assert!(!scene.path.exists());
        let mut next = holder(&scene.path).steps("acquire wait").start();
        scene.assert_next(&mut next);
    }
}

#[test]
fn a_second_start_is_refused_whatever_the_file_names() {
    if let Some(scene) = Scene::new("") {
        for record in ["1\n".into(), format!("{}\n", dead_process())] {
            fs::write(&scene.path, &record).unwrap();
            scene.assert_held();
        }
        fs::write(&scene.path, "").unwrap();
        let refusal = holder(&scene.path).steps("acquire").refusal();
        refusal.expect("Locked", 75);
        assert_eq!(names(scene.mount.dir()), ["it.pid"]);
    }
}

#[test]
fn the_holder_itself_is_told_that_it_holds() {
    if let Some(mut scene) = Scene::new("try allow_same_process=true try wait") {
        let path = scene.path.display();
        scene.first.tell();
        let refusal = scene.first.refusal();
        refusal.expect("Locked", 75).expect_pid(scene.first.pid());
        let held = scene.first.expect("held ");
        assert_eq!(held, format!("{} {path}", scene.first.pid()));
        scene.assert_held();
    }
}

#[test]
fn it_is_found_and_stopped_from_outside() {
    if let Some(mut scene) = Scene::new("") {
        let steps = "status holder stop=30000 status";
        let mut asker = holder(&scene.path).steps(steps).start();
        let pid = scene.first.pid();
        assert_eq!(
            asker.expect("status "),
            format!("Held {{ pid: Some({pid}) }}")
        );
        asker.expect(&format!("holder {pid} "));
        asker.expect("stopped");
        scene.first.expect_death_by(SIGTERM);
        assert_eq!(asker.expect("status "), "Absent");
    }
}

#[test]
fn a_waiter_gets_its_turn() {
    if let Some(mut scene) = Scene::new("") {
        let steps = "patience=max on-wait acquire wait";
        let mut next = holder(&scene.path).steps(steps).start();
        next.expect("notice ");
        scene.assert_held();
        scene.first.tell();
        scene.assert_next(&mut next);
    }
}

#[test]
fn a_killed_holder_is_followed_by_one_of_many() {
    if let Some(mut scene) = Scene::new("") {
        scene.first.signal(SIGKILL);
        scene.first.expect_death_by(SIGKILL);
        let start = || holder(&scene.path).steps("try wait").start();
        let mut starters: Vec<_> = (0..8).map(|_| start()).collect();
        let lines: Vec<_> = starters.iter_mut().map(|it| it.line().unwrap()).collect();
        let held = lines.iter().filter(|line| line.starts_with("held "));
        assert_eq!(held.count(), 1, "{lines:?}");
    }
}

#[test]
fn it_is_replaced() {
    if let Some(mut scene) = Scene::new("") {
        let steps = "replace=30000 acquire wait";
        let mut next = holder(&scene.path).steps(steps).start();
        next.expect_held(&scene.path);
        scene.first.expect_death_by(SIGTERM);
        next.tell();
        next.expect_exit(0);
        assert!(!scene.path.exists());
    }
}

#[test]
fn it_is_upgraded() {
    if let Some(mut scene) = Scene::new("exec-next=inherit,adopt,wait") {
        scene.first.tell();
        scene.first.expect("inherited ");
        scene.first.expect_held(&scene.path);
        scene.assert_held();
        scene.first.tell();
        scene.first.expect_exit(0);
        assert!(!scene.path.exists());
    }
}

#[test]
fn another_user_is_told_that_it_is_held() {
    if let Some(scene) = Scene::new("") {
        let script = holder(&scene.path).steps("acquire");
        let refusal = script.unprivileged(&scene.sandbox).refusal();
        refusal.expect("Locked", 75).expect_pid(scene.first.pid());
    }
}

#[test]
fn a_proc_that_shows_processes_only_is_enough() {
    if let Some(mut scene) = Scene::new("") {
        let mount = "mount -t proc -o subset=pid proc /proc && exec \"$@\"";
        let under = ["unshare", "--mount", "sh", "-c", mount, "sh"];
        let script = || holder(&scene.path).steps("acquire wait").under(&under);
        let refusal = script().refusal();
        refusal.expect("Locked", 75).expect_pid(scene.first.pid());
        scene.first.signal(SIGKILL);
        scene.first.expect_death_by(SIGKILL);
        let mut next = script().start();
        scene.assert_next(&mut next);
    }
}

#[test]
fn the_file_of_a_sibling_that_adopts_is_left_alone() {
    let sandbox = Sandbox::new();
    let Some(mount) = mount(&sandbox) else {
        return;
    };
    let step = mount.dir().join(".it.pid.adopt");
    let create = || {
        fs::write(&step, "2147483647\n").unwrap();
        lock(&step, FlockArg::LockExclusive)
    };
    let undo = |lock| {
        drop(lock);
        fs::remove_file(&step).unwrap();
    };
    if let Some(lock) = with_second_inode(&step, create, undo) {
        let start = || {
            holder(mount.dir().join("it.pid"))
                .steps("reserve fork=adopt,exit:0 reap")
                .start()
        };
        let mut refused = start();
        refused.expect("reserved ");
        refused.refusal().expect("Lost", 71);
        refused.expect_exit(0);
        assert_eq!(fs::read_to_string(&step).unwrap(), "2147483647\n");
        drop(lock);
        let mut adopted = start();
        adopted.expect("reserved ");
        adopted.expect("held ");
        adopted.expect_exit(0);
        assert!(!step.exists());
    }
}

/// Each of its calls fails once.
#[cfg(target_arch = "x86_64")]
#[test]
fn a_second_start_is_refused_whatever_call_fails() {
    let Some(scene) = Scene::new("") else {
        return;
    };
    let start = |point| tracer::run("acquire", &scene.path, point, &mut Undisturbed);
    let Some(run) = start(None) else {
        needs(false, "permission to trace a process");
        return;
    };
    let before = Snapshot::of(&scene.path);
    let fault = Fault::Fails(Errno::EIO);
    for index in 0..run.calls.len() {
        let run = start(Some(Point { index, fault })).expect("it was traced");
        let what = format!("{index}: {:?}", run.met);
        assert!(!run.output.starts_with("ok"), "{what}: {}", run.output);
        assert_eq!(Snapshot::of(&scene.path), before, "{what}");
    }
    scene.assert_held();
}

#[cfg(target_arch = "x86_64")]
struct Undisturbed;

#[cfg(target_arch = "x86_64")]
impl tracer::Surroundings for Undisturbed {}
