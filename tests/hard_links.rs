//! File systems on which a hard link is another file to the kernel, or a lock does not exclude: one
//! holder there too, or an error that says why not.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal::{SIGKILL, SIGTERM};

use crate::support::{
    Mount, Program, Sandbox, Script, can_unshare, eventually, has_program, holder, is_root, names,
};

/// Whether `flock(1)` refuses a second lock of a file there while the first is held.
#[track_caller]
fn flock_excludes(path: &Path) -> bool {
    let mut first = Script::of("flock")
        .argument("--nonblock")
        .argument(path)
        .steps("sh -c")
        .argument("echo locked; read line")
        .start();
    first.expect("locked");
    let refused = flock_refuses(path);
    first.tell();
    first.wait();
    refused
}

/// Whether `flock(1)` finds the file locked.
#[track_caller]
fn flock_refuses(path: &Path) -> bool {
    let status = Command::new("flock")
        .arg("--nonblock")
        .arg(path)
        .arg("true")
        .status()
        .expect("flock");
    match status.code() {
        Some(0) => false,
        Some(1) => true,
        other => panic!("flock: {other:?}"),
    }
}

/// Whether `flock(1)` finds every held file locked.
#[derive(Clone, Copy, PartialEq)]
enum Flock {
    Agrees,
    /// A file may get a second inode with locks of its own: see `two_inodes`.
    MayDiffer,
}

#[track_caller]
fn held(path: &Path, steps: &str, flock: Flock) -> Program {
    let mut program = holder(path).steps(steps).start();
    program.expect_held(path);
    assert!(flock == Flock::MayDiffer || flock_refuses(path));
    program
}

/// That a directory has these names. A file that is removed while it is open gets a hidden name from
/// libfuse, which hears of the last close only after the process has ended.
#[track_caller]
fn assert_nothing_is_left(dir: &Path, before: &[OsString]) {
    eventually("nothing but what was there before", || names(dir) == before);
}

/// That at most one process holds a file on this file system, whatever it holds it for.
#[track_caller]
fn assert_one_holder(mount: &Mount, flock: Flock) {
    let dir = mount.dir();
    let before = names(dir);
    let path = dir.join("it.pid");
    let probe = dir.join("probe");
    fs::write(&probe, "").unwrap();
    let excludes = flock_excludes(&probe);
    fs::remove_file(&probe).unwrap();
    if !excludes {
        holder(&path)
            .steps("acquire")
            .refusal()
            .expect("Unsupported", 69);
        assert_nothing_is_left(dir, &before);
        return;
    }

    // Fresh: held, refused, removed.
    let mut first = held(&path, "acquire wait release acquire wait", flock);
    for _ in 0..3 {
        let refusal = holder(&path).steps("acquire").refusal();
        refusal.expect("Locked", 75).expect_pid(first.pid());
    }
    let mut probe = holder(&path).steps("status").start();
    assert_eq!(
        probe.expect("status "),
        format!("Held {{ pid: Some({}) }}", first.pid())
    );
    first.tell();
    first.expect("released");
    first.expect_held(&path);
    first.signal(SIGTERM);
    first.expect_death_by(SIGTERM);
    assert_nothing_is_left(dir, &before);

    // Stale: taken over.
    let mut first = held(&path, "acquire wait", flock);
    first.signal(SIGKILL);
    first.wait();
    let mut second = held(&path, "acquire wait", flock);
    let refusal = holder(&path).steps("acquire").refusal();
    refusal.expect("Locked", 75).expect_pid(second.pid());
    second.tell();
    second.expect_exit(0);
    assert_nothing_is_left(dir, &before);

    // Adopted: by one process, whose lock is its own.
    let mut parent = holder(&path)
        .steps("reserve fork=adopt,wait,release reap")
        .start();
    parent.expect("reserved ");
    let line = parent.expect("held ");
    let (child, _) = line.split_once(' ').unwrap();
    assert!(flock == Flock::MayDiffer || flock_refuses(&path));
    let refusal = holder(&path).steps("acquire").refusal();
    refusal
        .expect("Locked", 75)
        .expect_pid(child.parse::<u32>().unwrap());
    parent.let_go();
    parent.expect_exit(0);
    assert_nothing_is_left(dir, &before);
}

/// That of many starters at once exactly one takes over a stale file, and the others are told so.
#[track_caller]
fn assert_one_takes_over(mount: &Mount) {
    let path = mount.dir().join("it.pid");
    fs::write(&path, "2147483647\n").unwrap();
    let start = || holder(&path).steps("try wait").start();
    let mut starters: Vec<_> = (0..8).map(|_| start()).collect();
    let lines: Vec<_> = starters.iter_mut().map(|it| it.line().unwrap()).collect();
    let count = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    let counts = (count("held "), count("refused\tLocked\t"));
    assert_eq!(counts, (1, 7), "{lines:?}");
    for mut starter in starters {
        starter.let_go();
        starter.expect_exit(0);
    }
    assert!(!path.exists());
}

/// That contenders are never inside together, and leave nothing.
#[track_caller]
fn assert_contenders_exclude_each_other(sandbox: &Sandbox, mount: &Mount) {
    let before = names(mount.dir());
    let contender = || {
        let script = Script::of(env!("CARGO_BIN_EXE_contender"));
        let script = script.argument(mount.dir().join("it.pid"));
        let mut program = script.argument(sandbox.path("witness")).start();
        program.expect("ready");
        program
    };
    let contenders: Vec<_> = (0..4).map(|_| contender()).collect();
    // A fixed time, because there is no event to wait for.
    std::thread::sleep(std::time::Duration::from_secs(2));
    for mut program in contenders {
        // Not `tell`: one that failed reads nothing any more, and has a message.
        program.let_go();
        program.expect("rounds ");
        program.expect_exit(0);
    }
    assert_nothing_is_left(mount.dir(), &before);
}

#[track_caller]
fn assert_everything(sandbox: &Sandbox, mount: Option<Mount>, flock: Flock) {
    if let Some(mount) = mount {
        assert_one_holder(&mount, flock);
        assert_one_takes_over(&mount);
        assert_contenders_exclude_each_other(sandbox, &mount);
    }
}

#[test]
fn on_bindfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("bindfs") {
        sandbox.folder("real", 0o755);
        let mount = Mount::by(&sandbox, &["bindfs", "real", "mnt"]);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_sshfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("sshfs") {
        let real = sandbox.folder("real", 0o755);
        let mount = Mount::sshfs(&sandbox, &real);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_mergerfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("mergerfs") {
        sandbox.folder("one", 0o755);
        sandbox.folder("two", 0o755);
        let mount = Mount::by(&sandbox, &["mergerfs", "one:two", "mnt"]);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_unionfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("unionfs") {
        sandbox.folder("real", 0o755);
        let mount = Mount::by(&sandbox, &["unionfs", "real=RW", "mnt"]);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_ntfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("mkntfs") && has_program("ntfs-3g") {
        let image = sandbox.file("image", "");
        fs::File::options()
            .write(true)
            .open(&image)
            .unwrap()
            .set_len(16 << 20)
            .unwrap();
        let made = Command::new("mkntfs")
            .args(["-q", "-F"])
            .arg(&image)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let mount = Mount::by(&sandbox, &["ntfs-3g", "image", "mnt"]);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_encfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("encfs") {
        let encrypted = sandbox.folder("encrypted", 0o755);
        sandbox.folder("mnt", 0o755);
        let command = format!(
            "echo word | encfs --standard --stdinpass {} {}",
            encrypted.display(),
            sandbox.path("mnt").display()
        );
        let mount = Mount::by(&sandbox, &["sh", "-c", &command]);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_gocryptfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if is_root() && has_program("gocryptfs") {
        let mount = Mount::gocryptfs(&sandbox);
        assert_everything(&sandbox, mount, Flock::MayDiffer);
    }
}

/// The file systems of the kernel, each made in a file.
const IMAGES: [(&str, u64); 8] = [
    ("mkfs.ext2 -q -F", 16 << 20),
    ("mkfs.ext3 -q -F", 16 << 20),
    ("mkfs.ext4 -q -F", 16 << 20),
    ("mkfs.xfs -q -f", 320 << 20),
    ("mkfs.btrfs -q -f", 128 << 20),
    ("mkfs.f2fs -q -f", 64 << 20),
    ("mkfs.vfat", 16 << 20),
    ("mkfs.exfat", 16 << 20),
];

#[test]
fn on_every_file_system_of_the_kernel_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    for (make, size) in IMAGES {
        let mount = Mount::image(&sandbox, make, size);
        assert_everything(&sandbox, mount, Flock::Agrees);
    }
}

#[test]
fn on_tmpfs_and_overlayfs_there_is_one_holder() {
    let sandbox = Sandbox::new();
    if !is_root() || !can_unshare(&["--mount"]) {
        return;
    }
    let mount = Mount::by(&sandbox, &["mount", "-t", "tmpfs", "tmpfs", "mnt"]);
    assert_everything(&sandbox, mount, Flock::Agrees);
    for name in ["lower", "upper", "work"] {
        sandbox.folder(name, 0o755);
    }
    // A stale file of the lower directory too.
    sandbox.file("lower/it.pid", "2147483647\n");
    let layers = "lowerdir=lower,upperdir=upper,workdir=work";
    let mount = Mount::by(
        &sandbox,
        &["mount", "-t", "overlay", "-o", layers, "overlay", "mnt"],
    );
    if let Some(mount) = mount {
        let mut first = held(&mount.dir().join("it.pid"), "acquire wait", Flock::Agrees);
        first.tell();
        first.expect_exit(0);
        assert_everything(&sandbox, Some(mount), Flock::Agrees);
    }
}
