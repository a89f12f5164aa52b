//! A file is passed to the next version of a program, by exec and by spawn, without a gap.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use pidfile::{Error, PidFile};

use crate::support::{
    Program, Sandbox, Snapshot, can_unshare, eventually, holder, is_locked, storm,
};

/// Reads until a program has reported that it has spawned another one, and that one has said this.
/// Returns the other one's number.
#[track_caller]
fn lines_until_spawned(program: &mut Program, word: &str) -> u32 {
    let (mut number, mut said) = (None, false);
    while number.is_none() || !said {
        let line = program.line().expect("both go on");
        said |= line == word;
        if let Some(spawned) = line.strip_prefix("spawned ") {
            number = spawned.parse().ok();
        }
    }
    number.expect("a number")
}

#[test]
fn over_exec_the_same_process_goes_on_holding() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut program = holder(&path)
        .steps("chmod=640 acquire exec-next=inherit,adopt,verify,wait")
        .start();
    program.expect_held(&path);
    program.expect(&format!("inherited {}", path.display()));
    program.expect_held(&path);
    program.expect("verify Ok(())");
    assert_eq!(Snapshot::of(&path).mode, 0o640);
    assert!(is_locked(&path));
    sandbox.assert_names(["it.pid"]);
    program.signal(Signal::SIGTERM);
    program.expect_death_by(Signal::SIGTERM);
    sandbox.assert_names([]);
}

#[test]
fn over_spawn_the_old_version_may_end() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut old = holder(&path)
        .steps("acquire spawn-next=inherit,adopt,say:adopted,wait exit-and-leave")
        .start();
    old.expect_held(&path);
    let next = lines_until_spawned(&mut old, "adopted");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{next}\n"));
    old.expect_exit(0);
    assert!(is_locked(&path));
    old.let_go();
    eventually("the end of the file", || !path.exists());
    sandbox.assert_names([]);
}

#[test]
fn dropped_by_the_old_version_after_the_adoption_the_file_stays() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut old = holder(&path)
        .steps("acquire spawn-next=inherit,adopt,say:adopted,park wait drop-reservation say=dropped wait")
        .start();
    old.expect_held(&path);
    let next = lines_until_spawned(&mut old, "adopted");
    old.tell();
    old.expect("dropped");
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{next}\n"));
    assert!(is_locked(&path));
    let next = Pid::from_raw(next.try_into().unwrap());
    nix::sys::signal::kill(next, Signal::SIGTERM).unwrap();
    eventually("the end of the file", || !path.exists());
}

#[test]
fn if_the_exec_fails_the_old_version_goes_on_holding_and_passes_nothing_on() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut program = holder(&path)
        .steps("acquire exec-nothing adopt verify spawn-other=inherit,say:alone,wait wait")
        .start();
    program.expect_held(&path);
    program.expect_held(&path);
    program.expect("verify Ok(())");
    let child = lines_until_spawned(&mut program, "alone");
    // By inode: the link of a file that was made without a name does not say what it is called now.
    let inode = Snapshot::of(&path).inode;
    for (number, _) in crate::support::descriptors(child) {
        let facts = fs::metadata(format!("/proc/{child}/fd/{number}"));
        assert!(facts.is_ok_and(|facts| facts.ino() != inode), "{number}");
    }
    program.signal(Signal::SIGTERM);
    program.expect_death_by(Signal::SIGTERM);
    sandbox.assert_names([]);
}

#[test]
fn if_the_next_version_dies_first_the_old_one_takes_the_file_back() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut program = holder(&path)
        .steps("acquire spawn-next=_exit:3 reap adopt verify wait")
        .start();
    program.expect_held(&path);
    program.expect("spawned ");
    program.expect("child exited 3");
    program.expect_held(&path);
    program.expect("verify Ok(())");
    program.tell();
    assert!(program.wait().success());
    sandbox.assert_names([]);
}

#[test]
fn if_all_versions_die_before_the_adoption_the_file_is_stale() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("acquire exec-next=inherit,say:here,wait")
        .start();
    program.expect("held ");
    program.expect("inherited ");
    program.expect("here");
    // Not adopted yet, and held all the same.
    assert!(matches!(
        PidFile::acquire(sandbox.pidfile()),
        Err(Error::Locked { .. })
    ));
    program.signal(Signal::SIGKILL);
    program.expect_death_by(Signal::SIGKILL);
    assert!(!is_locked(&sandbox.pidfile()));
    sandbox.assert_next_start_works();
}

#[test]
fn what_was_passed_is_taken_once_and_not_by_later_programs() {
    // Beside another thread, which may read the environment, the variable stays, and names a
    // descriptor that this image owns.
    let thread = if cfg!(target_os = "linux") {
        "lose-watch:close,"
    } else {
        ""
    };
    for thread in ["", thread] {
        let sandbox = Sandbox::new();
        let next = format!("{thread}inherit,inherit,adopt,spawn,spawn-other:inherit,wait");
        let script = holder(sandbox.pidfile()).steps("acquire");
        let mut program = script.set("exec-next", next).start();
        program.expect("held ");
        program.expect("inherited ");
        program.expect("nothing inherited");
        program.expect("held ");
        let spawned = program.expect("spawned ");
        if cfg!(target_os = "linux") {
            let mut environment = Vec::new();
            // Empty in the middle of an exec.
            eventually("an environment", || {
                environment = fs::read(format!("/proc/{spawned}/environ")).unwrap();
                !environment.is_empty()
            });
            let environment = String::from_utf8_lossy(&environment);
            let stays = environment.contains("PIDFILE_INHERITED=");
            assert_eq!(stays, !thread.is_empty(), "{environment}");
        }
        lines_until_spawned(&mut program, "nothing inherited");
    }
}

#[test]
fn of_two_next_versions_one_adopts() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let steps =
        "acquire spawn-next=inherit,adopt,wait spawn-next=inherit,adopt,wait exit-and-leave";
    let mut program = holder(&path).steps(steps).start();
    program.expect_held(&path);
    let mut held = 0;
    let mut refused = 0;
    while held + refused < 2 {
        let line = program.line().expect("they go on");
        held += usize::from(line.starts_with("held "));
        refused += usize::from(line.starts_with("refused\tLost\t"));
    }
    assert_eq!((held, refused), (1, 1));
    program.let_go();
    eventually("the end of the file", || !path.exists());
    sandbox.assert_names([]);
}

#[test]
fn a_file_without_the_lock_is_not_passed_on() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("lock=false acquire spawn-next=inherit reap wait")
        .start();
    program.expect("held ");
    program.refusal().expect("Config", 78);
    lines_until_spawned(&mut program, "nothing inherited");
}

#[test]
fn in_hundreds_of_upgrades_the_name_is_never_absent_and_no_third_process_gets_in() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut program = holder(&path)
        .steps("acquire wait")
        .set("upgrades", storm(200, 1_000).to_string())
        .steps("wait")
        .start();
    program.expect_held(&path);
    let is_over = AtomicBool::new(false);
    let looked = AtomicU32::new(0);
    let end = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                let seen = fs::metadata(&path);
                assert!(seen.is_ok_and(|seen| seen.len() > 1), "the name is absent");
                looked.fetch_add(1, Relaxed);
            }
        });
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Relaxed) {
                    match PidFile::acquire(&path) {
                        Err(Error::Locked { .. }) => looked.fetch_add(1, Relaxed),
                        other => panic!("a third process got in: {other:?}"),
                    };
                }
            });
        }
        let _end = AtTheEnd(&is_over);
        program.tell();
        loop {
            let line = program.line();
            if !line
                .as_deref()
                .is_some_and(|line| line.starts_with("left "))
            {
                break line;
            }
        }
    });
    let end = end.expect("the last version holds");
    let held = end.strip_prefix("held ").expect("the last version holds");
    assert!(looked.load(Relaxed) > 0);
    let record = fs::read_to_string(&path).unwrap();
    assert_eq!(held, format!("{} {}", record.trim(), path.display()));
    sandbox.assert_names(["it.pid"]);
    program.let_go();
    eventually("the end of the file", || !path.exists());
}

/// Ends the other threads of a test, even if it has failed.
struct AtTheEnd<'a>(&'a AtomicBool);

impl Drop for AtTheEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn in_another_pid_namespace_the_next_version_holds_under_its_own_number() {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--pid", "--fork"]) {
        return;
    }
    let path = sandbox.pidfile();
    let mut program = holder(&path)
        .steps("acquire own-pid-namespace spawn-next=inherit,adopt,verify,wait exit-and-leave")
        .start();
    program.expect_held(&path);
    lines_until_spawned(&mut program, "verify Ok(())");
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    program.let_go();
    eventually("the end of the file", || !path.exists());
}
