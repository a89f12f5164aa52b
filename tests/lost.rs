//! A holder that lost its file: `verify` reports it, and no end of the holder touches the files of
//! other processes.

use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, symlink};

use nix::sys::signal::Signal::{self, SIGTERM};
use pidfile::{Lost, Options, PidFile};

use crate::support::{Program, Sandbox, Snapshot, eventually, holder, is_locked};

#[test]
fn verify_finds_nothing_wrong_as_long_as_the_file_is_ours() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o755);
    let guard = PidFile::acquire(folder.join("it.pid")).unwrap();
    assert_eq!(guard.verify(), Ok(()));
    fs::hard_link(guard.path(), sandbox.path("other")).unwrap();
    assert_eq!(guard.verify(), Ok(()), "a second name does no harm");
    let second = Options::new().path(guard.path()).allow_same_process(true);
    assert_eq!(second.acquire().unwrap().verify(), Ok(()));
    let in_vain = PidFile::acquire(guard.path());
    assert!(in_vain.is_err());
    assert_eq!(guard.verify(), Ok(()), "nor does a second start");
}

#[test]
fn verify_says_that_the_file_is_gone() {
    let sandbox = Sandbox::new();
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    fs::remove_file(sandbox.pidfile()).unwrap();
    assert_eq!(guard.verify(), Err(Lost::Gone));
    guard.release().expect("there is nothing left to do");

    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    fs::rename(sandbox.pidfile(), sandbox.path("moved")).unwrap();
    assert_eq!(guard.verify(), Err(Lost::Gone));
    drop(guard);
    sandbox.assert_names(["moved"]);
}

#[test]
fn verify_says_that_the_file_was_replaced_and_it_is_left_alone() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let replacements: [&dyn Fn(); 4] = [
        &|| fs::write(&path, "2147483647\n").unwrap(),
        &|| fs::create_dir(&path).unwrap(),
        &|| symlink("moved", &path).unwrap(),
        &|| drop(File::create(&path).unwrap()),
    ];
    for replace in replacements {
        let guard = PidFile::acquire(&path).unwrap();
        // Under another name, so that a symlink can lead to it.
        fs::rename(&path, sandbox.path("moved")).unwrap();
        replace();
        let before = Snapshot::of(&path);
        assert_eq!(guard.verify(), Err(Lost::Replaced));
        drop(guard);
        assert_eq!(Snapshot::of(&path), before);
        fs::remove_file(&path)
            .or_else(|_| fs::remove_dir(&path))
            .unwrap();
    }
}

#[test]
fn verify_says_that_a_second_instance_runs() {
    let sandbox = Sandbox::new();
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    fs::remove_file(sandbox.pidfile()).unwrap();
    let _second = sandbox.hold();
    assert_eq!(guard.verify(), Err(Lost::Replaced));
}

#[test]
fn the_descriptor_is_that_of_the_locked_file() {
    let sandbox = Sandbox::new();
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    let copy = guard.as_fd().try_clone_to_owned().unwrap();
    let open = File::from(copy).metadata().unwrap();
    let named = fs::metadata(sandbox.pidfile()).unwrap();
    assert_eq!(open.ino(), named.ino());
    assert!(guard.as_fd().as_raw_fd() > 2);
    // The lock belongs to the open file, so a copy of the descriptor keeps it.
    let copy = guard.as_fd().try_clone_to_owned().unwrap();
    fs::hard_link(sandbox.pidfile(), sandbox.path("other")).unwrap();
    drop(guard);
    assert!(is_locked(&sandbox.path("other")));
    drop(copy);
    // Not at once: a child that another test is just spawning may have a copy until its exec.
    eventually("unlocked", || !is_locked(&sandbox.path("other")));
}

/// The ends that a closed descriptor must not disturb.
const ENDS: [(&str, Option<Signal>); 5] = [
    ("release", None),
    ("", None),
    ("forget exit=0", None),
    ("cleanup", None),
    ("", Some(SIGTERM)),
];

/// A program whose descriptors were closed without the library, after it has said so.
#[track_caller]
fn closed(sandbox: &Sandbox, and_then: &str, ending: &str) -> Program {
    let steps = format!("acquire close-all {and_then} verify say=ready wait {ending} say=ended");
    let script = holder(sandbox.pidfile()).steps_in(sandbox.dir(), &steps);
    let mut program = script.start();
    program.expect_held(&sandbox.pidfile());
    program.expect("verify Err(DescriptorClosed)");
    program.expect("ready");
    program
}

#[test]
fn with_all_descriptors_closed_there_is_no_panic_and_nothing_is_touched() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        let mut program = closed(&sandbox, "", ending);
        // The lock went with the descriptor, as `verify` reports.
        assert!(!is_locked(&sandbox.pidfile()));
        let before = Snapshot::of(sandbox.pidfile());
        program.end(signal);
        assert_eq!(
            Snapshot::of(sandbox.pidfile()),
            before,
            "{ending} {signal:?}"
        );
        sandbox.assert_next_start_works();
    }
}

#[test]
fn with_all_descriptors_closed_the_next_holder_is_not_disturbed() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        let mut program = closed(&sandbox, "", ending);
        let _next = sandbox.hold();
        let before = Snapshot::of(sandbox.pidfile());
        program.end(signal);
        assert_eq!(
            Snapshot::of(sandbox.pidfile()),
            before,
            "{ending} {signal:?}"
        );
        assert!(is_locked(&sandbox.pidfile()));
    }
}

#[test]
fn descriptors_that_were_opened_in_the_place_of_ours_stay_open() {
    let sandbox = Sandbox::new();
    let theirs = sandbox.file("theirs", "not ours\n");
    let mut program = closed(&sandbox, "open-ten=DIR/theirs", "release say=released wait");
    let before = program.descriptors();
    assert_eq!(
        before
            .iter()
            .filter(|(_, target)| *target == theirs)
            .count(),
        10
    );
    program.tell();
    program.refusal().expect("Lost", 71);
    program.expect("released");
    assert_eq!(program.descriptors(), before);
    assert_eq!(fs::read(&theirs).unwrap(), b"not ours\n");
    sandbox.assert_names(["it.pid", "theirs"]);
}

#[test]
fn a_file_that_was_opened_in_the_place_of_our_directory_stays_open() {
    let sandbox = Sandbox::new();
    let theirs = sandbox.file("theirs", "not ours\n");
    let steps =
        "acquire wait close=3 open-ten=DIR/theirs verify say=opened wait release say=released wait";
    // Nothing that the caller has open is in the way of our numbers.
    let script = holder(sandbox.pidfile()).under(&["sh", "-c", "exec \"$@\" 3>&- 4>&-", "sh"]);
    let mut program = script.steps_in(sandbox.dir(), steps).start();
    program.expect_held(&sandbox.pidfile());
    let directory = program
        .descriptors()
        .into_iter()
        .find(|(number, _)| *number == 3);
    assert_eq!(
        directory,
        Some((3, sandbox.dir().into())),
        "the number that is closed"
    );
    program.tell();
    program.expect("verify Err(DescriptorClosed)");
    program.expect("opened");
    let mut expected = program.descriptors();
    assert!(expected.contains(&(3, theirs.clone())));
    // The file itself is still ours.
    expected.retain(|(number, _)| *number != 4);
    program.tell();
    program.refusal().expect("Lost", 71);
    program.expect("released");
    assert_eq!(program.descriptors(), expected);
    assert_eq!(fs::read(&theirs).unwrap(), b"not ours\n");
}

#[test]
fn a_reservation_whose_file_is_gone_or_replaced_is_not_adopted() {
    for steps in ["reserve wait adopt", "acquire hand-over wait adopt"] {
        for replacement in [None, Some("4194305\n")] {
            let sandbox = Sandbox::new();
            let mut program = holder(sandbox.pidfile()).steps(steps).start();
            program.line().unwrap();
            fs::remove_file(sandbox.pidfile()).unwrap();
            if let Some(record) = replacement {
                fs::write(sandbox.pidfile(), record).unwrap();
            }
            program.tell();
            program.expect("refused\tLost\t");
            program.expect_exit(0);
            let left = fs::read_to_string(sandbox.pidfile()).ok();
            assert_eq!(left.as_deref(), replacement, "{steps}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_waiter_whose_watch_was_closed_goes_on_quietly() {
    let sandbox = Sandbox::new();
    let _holding = sandbox.hold();
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=2000 lose-watch=close try say=refused wait")
        .start();
    waiter.expect("watch lost");
    waiter.refusal().expect("Locked", 75);
    waiter.expect("refused");
    let status = fs::read_to_string(format!("/proc/{}/status", waiter.pid())).unwrap();
    let sleeps = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))
        .and_then(|count| count.trim().parse::<u32>().ok())
        .expect("the kernel counts them");
    // About thirty with a pause of up to 100 ms, and thousands if it never pauses.
    assert!(sleeps < 300, "it has slept {sleeps} times in two seconds");
}

#[test]
#[cfg(target_os = "linux")]
fn a_waiter_whose_watch_is_a_pipe_by_now_takes_nothing_from_it() {
    let sandbox = Sandbox::new();
    let _holding = sandbox.hold();
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=2000 lose-watch=pipe try read-pipe")
        .start();
    waiter.expect("watch lost");
    waiter.refusal().expect("Locked", 75);
    waiter.expect("read of the program");
}

#[test]
fn each_loss_says_what_happened_to_the_pidfile() {
    let all = [
        (Lost::Gone, "no longer at its path"),
        (Lost::Replaced, "replaced"),
        (Lost::Overwritten, "overwritten"),
        (
            Lost::DescriptorClosed,
            "descriptor of the pidfile was closed",
        ),
    ];
    for (lost, words) in all {
        let text = lost.to_string();
        assert!(text.starts_with("the ") && text.contains(words), "{text}");
    }
}
