//! A file without a holder is taken over, whichever process it names.

use std::fs::{self, File};
use std::path::Path;

use pidfile::{Options, PidFile, Status};

use crate::support::{
    Sandbox, Snapshot, dead_process, eventually, holder, is_locked, is_root, set_mode, zombie,
};

/// No process has this number; Linux stops at four million.
const UNUSED: u32 = i32::MAX.unsigned_abs();

/// That a start takes over a file with these bytes, with a new inode, and leaves nothing else.
#[track_caller]
fn assert_taken_over(bytes: impl AsRef<[u8]>) {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", bytes);
    // Kept open, so that the number of its inode is not free for the new file.
    let stale = File::open(&path).unwrap();
    let before = Snapshot::of(&path);
    let guard = PidFile::acquire(&path).unwrap();
    let after = Snapshot::of(&path);
    assert_ne!(after.inode, before.inode, "a new inode");
    assert_eq!(after.mode, 0o644);
    assert_eq!(
        String::from_utf8_lossy(&after.bytes),
        format!("{}\n", std::process::id())
    );
    assert!(is_locked(&path));
    sandbox.assert_names(["it.pid"]);
    drop(stale);
    guard.release().unwrap();
    sandbox.assert_names([]);
}

#[test]
fn a_dead_pid_is_taken_over_with_a_new_inode() {
    assert_taken_over(format!("{}\n", dead_process()));
    assert_taken_over(format!("{UNUSED}\n"));
}

#[test]
fn the_own_pid_is_taken_over_with_a_new_inode() {
    assert_taken_over(format!("{}\n", std::process::id()));
}

#[test]
fn a_living_strangers_pid_is_taken_over_with_a_new_inode() {
    assert_taken_over("1\n");
    let parent = nix::unistd::getppid();
    assert_taken_over(format!("{parent}\n"));
}

#[test]
fn a_zombies_pid_is_taken_over_with_a_new_inode() {
    let mut zombie = zombie();
    assert_taken_over(format!("{}\n", zombie.id()));
    zombie.wait().unwrap();
}

#[test]
fn an_empty_file_is_taken_over_with_a_new_inode() {
    assert_taken_over("");
}

/// That these bytes are a record of `UNUSED`, for a probe and for a start.
#[track_caller]
fn assert_reads_as_unused(bytes: &str) {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", bytes);
    let status = Options::new().path(&path).status().unwrap();
    assert_eq!(status, Status::Stale { pid: Some(UNUSED) }, "{bytes:?}");
    sandbox.assert_next_start_works();
}

#[test]
fn a_number_without_newline_is_valid() {
    assert_reads_as_unused("2147483647");
}

#[test]
fn blanks_around_the_number_are_valid() {
    assert_reads_as_unused("  2147483647 \n");
    assert_reads_as_unused("\t2147483647\t\n");
    // Some init scripts pad it.
    assert_reads_as_unused("     2147483647\n");
}

#[test]
fn crlf_is_valid() {
    assert_reads_as_unused("2147483647\r\n");
}

#[test]
fn leading_zeros_are_valid() {
    assert_reads_as_unused("0002147483647\n");
}

#[test]
fn blank_lines_after_the_number_are_valid() {
    assert_reads_as_unused("2147483647\n\n \r\n");
}

#[test]
fn the_smallest_number_is_valid() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "1");
    let status = Options::new().path(&path).status().unwrap();
    assert_eq!(status, Status::Stale { pid: Some(1) });
}

#[test]
fn a_world_writable_stale_file_is_replaced_by_one_of_mode_0644() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", format!("{UNUSED}\n"));
    set_mode(&path, 0o666);
    let _stale = File::open(&path).unwrap();
    let before = Snapshot::of(&path);
    let guard = PidFile::acquire(&path).unwrap();
    let after = Snapshot::of(&path);
    assert_eq!(after.mode, 0o644);
    assert_ne!(after.inode, before.inode);
    drop(guard);
    sandbox.assert_names([]);
}

#[test]
fn a_shorter_pid_after_a_longer_one_leaves_no_digits() {
    assert_taken_over("2147483647\n");
    assert_taken_over(format!("{}2147483647\n\n\n", "0".repeat(1000)));
}

#[test]
fn a_hard_link_to_the_stale_file_keeps_its_bytes() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "2147483647\n");
    fs::hard_link(&path, sandbox.path("kept")).unwrap();
    let guard = PidFile::acquire(&path).unwrap();
    assert_eq!(
        fs::read_to_string(sandbox.path("kept")).unwrap(),
        "2147483647\n"
    );
    // Not at once: a child that another test is just spawning may have a copy of the descriptor.
    eventually("unlocked", || !is_locked(&sandbox.path("kept")));
    drop(guard);
    sandbox.assert_names(["kept"]);
}

/// How a start with these settings fares on a file that names `pid`.
#[track_caller]
fn start(path: &Path, pid: u32, settings: &str) -> Result<(), (String, Option<u32>)> {
    fs::write(path, format!("{pid}\n")).unwrap();
    let _stale = File::open(path).unwrap();
    let before = Snapshot::of(path);
    let mut starter = holder(path)
        .steps(settings)
        .steps("acquire release")
        .start();
    let line = starter.line().unwrap();
    if line.starts_with("held ") {
        starter.expect("released");
        assert!(!path.exists());
        return Ok(());
    }
    let mut words = line.split('\t');
    assert_eq!(words.next(), Some("refused"));
    assert_eq!(Snapshot::of(path), before, "a refusal changes nothing");
    Err((
        words.next().unwrap().into(),
        words.next().unwrap().parse().ok(),
    ))
}

fn running(pid: u32) -> Result<(), (String, Option<u32>)> {
    Err(("Running".into(), Some(pid)))
}

/// A living process that runs the same program as the starters here, and holds nothing.
fn same_program() -> crate::support::Program {
    let mut program = crate::support::Script::new()
        .steps("say=ready wait")
        .start();
    program.expect("ready");
    program
}

#[test]
fn refuse_live_refuses_a_living_process_of_the_same_program() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut living = same_program();
    assert_eq!(
        start(&path, living.pid(), "refuse_live=true"),
        running(living.pid())
    );
    // Only the option makes the difference.
    assert_eq!(start(&path, living.pid(), "refuse_live=false"), Ok(()));
    living.tell();
    living.expect_exit(0);
    assert_eq!(start(&path, living.pid(), "refuse_live=true"), Ok(()));
}

#[test]
fn refuse_live_refuses_a_process_whose_program_cannot_be_read() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    // An ordinary user may not ask which program root runs, only by what name.
    let path = sandbox.folder("run", 0o777).join("it.pid");
    let mut living = same_program();
    fs::write(&path, format!("{}\n", living.pid())).unwrap();
    let start = || {
        holder(&path)
            .steps("refuse_live=true acquire")
            .unprivileged(&sandbox)
            .start()
    };
    start()
        .refusal()
        .expect("Running", 75)
        .expect_pid(living.pid());
    living.tell();
    living.expect_exit(0);
    start().expect("held ");
}

#[cfg(target_os = "linux")] // elsewhere it cannot be proved
#[test]
fn refuse_live_takes_over_from_a_living_process_of_another_program() {
    let sandbox = Sandbox::new();
    let mut other = crate::support::Script::of("cat").start();
    // It answers, so it has become `cat`.
    other.tell();
    other.expect("");
    assert_eq!(
        start(&sandbox.pidfile(), other.pid(), "refuse_live=true"),
        Ok(())
    );
}

#[test]
fn refuse_live_takes_over_from_self_from_the_dead_and_from_a_zombie() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", format!("{}\n", std::process::id()));
    let guard = Options::new()
        .path(&path)
        .refuse_live(true)
        .acquire()
        .expect("self is stale");
    drop(guard);
    assert_eq!(start(&path, UNUSED, "refuse_live=true"), Ok(()));
    let mut zombie = zombie();
    assert_eq!(start(&path, zombie.id(), "refuse_live=true"), Ok(()));
    zombie.wait().unwrap();
}

#[test]
fn without_the_lock_a_living_process_refuses_whatever_its_program() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let living = same_program();
    assert_eq!(
        start(&path, living.pid(), "lock=false"),
        running(living.pid())
    );
    // Unless this is root, it may not be signalled, which means that it lives.
    assert_eq!(start(&path, 1, "lock=false"), running(1));
}

#[test]
fn without_the_lock_the_dead_a_zombie_and_self_do_not_refuse() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", format!("{}\n", std::process::id()));
    let guard = Options::new()
        .path(&path)
        .lock(false)
        .acquire()
        .expect("self is stale");
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{}\n", std::process::id())
    );
    drop(guard);
    sandbox.assert_names([]);
    assert_eq!(start(&path, UNUSED, "lock=false"), Ok(()));
    let mut zombie = zombie();
    assert_eq!(start(&path, zombie.id(), "lock=false"), Ok(()));
    zombie.wait().unwrap();
}

#[test]
fn without_the_lock_a_holder_is_respected_until_it_dies() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut first = holder(&path).steps("lock=false acquire wait").start();
    first.expect_held(&path);
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("lock=false acquire")
        .refusal()
        .expect("Running", 75)
        .expect_pid(first.pid())
        .expect_message(path.display());
    assert_eq!(Snapshot::of(&path), before);
    first.signal(nix::sys::signal::Signal::SIGKILL);
    first.wait();
    assert!(path.exists());
    let mut next = holder(&path).steps("lock=false acquire wait").start();
    next.expect_held(&path);
    next.tell();
    next.expect_exit(0);
    sandbox.assert_names([]);
}
