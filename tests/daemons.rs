//! Reserved in the terminal and adopted in the background: the terminal sees a refusal, the name is
//! never absent, and the record becomes the daemon's.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sys::signal::Signal::{self, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::support::{Program, Sandbox, Snapshot, eventually, holder, is_locked, refused, storm};

/// Every way out of the terminal: nix leaves by `_exit`, daemonize by `exit`.
const WAYS: [&str; 4] = ["nix", "daemonize", "fork", "fork-and-forget"];

/// A process whose parent is gone. It is killed with its test.
struct Daemon(Pid);

impl Daemon {
    #[track_caller]
    fn kill(&self, signal: Signal) {
        kill(self.0, signal).expect("it is there");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Fails if the test has ended it, which is as good.
        let _ = kill(self.0, SIGKILL);
    }
}

/// Lets a program that has reserved go on while a thread reads the file all the time. Returns the
/// daemon that adopted it and every record that was seen.
#[track_caller]
fn detached(mut terminal: Program, path: &Path) -> (Daemon, BTreeSet<String>) {
    let is_over = AtomicBool::new(false);
    let (daemon, records) = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut records = BTreeSet::new();
            while !is_over.load(Ordering::SeqCst) {
                let record = fs::read_to_string(path);
                records.insert(record.unwrap_or_else(|error| error.to_string()));
            }
            records
        });
        terminal.tell();
        let line = terminal.line();
        is_over.store(true, Ordering::SeqCst);
        (line, reader.join().unwrap())
    });
    let daemon = daemon
        .as_deref()
        .and_then(|line| line.strip_prefix("held "));
    let daemon = daemon.unwrap_or_else(|| panic!("nothing was adopted: {daemon:?}"));
    let (pid, held) = daemon.split_once(' ').unwrap();
    assert_eq!(held, path.to_str().unwrap());
    assert_ne!(pid, terminal.pid().to_string());
    terminal.expect_exit(0);
    (Daemon(Pid::from_raw(pid.parse().unwrap())), records)
}

/// A program that has reserved the file, or holds it and is about to hand it over.
#[track_caller]
fn reserved(sandbox: &Sandbox, steps: &str) -> Program {
    let mut terminal = holder(sandbox.pidfile()).steps(steps).start();
    let said = terminal.line().unwrap();
    assert!(
        said.starts_with("reserved ") || said.starts_with("held "),
        "{said}"
    );
    let record = format!("{}\n", terminal.pid());
    assert_eq!(fs::read_to_string(sandbox.pidfile()).unwrap(), record);
    assert!(is_locked(&sandbox.pidfile()));
    terminal
}

/// That after these steps the record is the daemon's, and was only ever the starter's before.
#[track_caller]
fn assert_adopted(before: &str, way: &str) {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let terminal = reserved(&sandbox, &format!("{before} wait detach={way} adopt park"));
    let starter = terminal.pid();
    let (daemon, records) = detached(terminal, &path);

    let record = format!("{}\n", daemon.0);
    assert_eq!(fs::read_to_string(&path).unwrap(), record);
    let possible = BTreeSet::from([record, format!("{starter}\n")]);
    assert!(
        records.is_subset(&possible),
        "{way}: {records:?}, never absent and never another's"
    );
    assert!(is_locked(&path));
    assert_eq!(Snapshot::of(&path).mode, 0o644);
    sandbox.assert_names(["it.pid"]);
    let error = refused(pidfile::PidFile::acquire(&path));
    assert_eq!(
        error.pid(),
        Some(daemon.0.as_raw().unsigned_abs()),
        "{error:?}"
    );

    daemon.kill(SIGTERM);
    eventually("its end", || !path.exists());
    sandbox.assert_names([]);
    sandbox.assert_next_start_works();
}

#[test]
fn with_nixs_daemon_the_record_is_the_daemons_and_the_name_never_absent() {
    assert_adopted("reserve", "nix");
}

#[test]
fn with_the_crate_daemonize_the_record_is_the_daemons_and_the_name_never_absent() {
    assert_adopted("reserve", "daemonize");
}

#[test]
fn with_a_plain_fork_the_record_is_the_daemons_and_the_name_never_absent() {
    assert_adopted("reserve", "fork");
    assert_adopted("reserve", "fork-and-forget");
}

#[test]
fn hand_over_does_the_same_for_a_guard() {
    for way in WAYS {
        assert_adopted("acquire hand-over", way);
    }
}

#[test]
fn the_name_is_never_absent_in_adoptions_over_and_over() {
    for _ in 0..storm(25, 250) {
        assert_adopted("reserve", "fork");
    }
}

#[test]
fn the_terminal_sees_the_refusal_and_no_daemon_is_started() {
    let sandbox = Sandbox::new();
    let held = sandbox.hold();
    let before = Snapshot::of(sandbox.pidfile());
    for way in WAYS {
        let steps = format!("reserve detach={way} say=detached adopt park");
        let mut terminal = holder(sandbox.pidfile()).steps(&steps).start();
        terminal
            .refusal()
            .expect("Locked", 75)
            .expect_pid(held.pid());
        assert_eq!(terminal.line(), None, "no daemon goes on");
        terminal.expect_exit(75);
        assert_eq!(Snapshot::of(sandbox.pidfile()), before);
    }
}

#[test]
fn every_end_of_a_daemon_cleans_up_like_any_other() {
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let sandbox = Sandbox::new();
        let (daemon, _) = detached(
            reserved(&sandbox, "reserve wait detach=nix adopt park"),
            &sandbox.pidfile(),
        );
        daemon.kill(signal);
        eventually("its end", || !sandbox.pidfile().exists());
        sandbox.assert_names([]);
    }
    for ending in [
        "release park",
        "drop park",
        "forget exit=0",
        "exit-on-a-thread=7",
        "panic",
    ] {
        let sandbox = Sandbox::new();
        let steps = format!("reserve wait detach=nix adopt {ending}");
        let mut terminal = reserved(&sandbox, &steps);
        terminal.tell();
        let daemon = terminal.expect("held ");
        let _daemon = Daemon(Pid::from_raw(
            daemon.split_once(' ').unwrap().0.parse().unwrap(),
        ));
        eventually("its end", || !sandbox.pidfile().exists());
        sandbox.assert_names([]);
    }
}

#[test]
fn the_mode_that_was_asked_for_survives_the_adoption() {
    let sandbox = Sandbox::new();
    let steps = "chmod=600 umask=0 reserve wait detach=nix adopt park";
    let (_daemon, _) = detached(reserved(&sandbox, steps), &sandbox.pidfile());
    assert_eq!(Snapshot::of(sandbox.pidfile()).mode, 0o600);
}

#[test]
fn an_adopted_lock_is_shared_with_no_process_that_was_forked_before() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    // The sibling has a copy of every descriptor from before the adoption.
    let steps = "reserve fork=wait,say:outlived detach=fork adopt park";
    let mut terminal = holder(&path).steps(steps).start();
    terminal.expect("reserved ");
    let daemon = terminal.expect("held ");
    let daemon = Daemon(Pid::from_raw(
        daemon.split_once(' ').unwrap().0.parse().unwrap(),
    ));
    assert!(is_locked(&path));
    daemon.kill(SIGKILL);
    eventually("its end", || !is_locked(&path));
    sandbox.assert_next_start_works();
    terminal.tell();
    terminal.expect("outlived");
}

#[test]
fn a_reservation_is_cleaned_up_by_no_end_but_its_drop() {
    let sandbox = Sandbox::new();
    for (ending, code) in [("exit=7", 7), ("exit-on-a-thread=7", 7), ("_exit=7", 7)] {
        let mut terminal = reserved(&sandbox, &format!("reserve wait {ending}"));
        terminal.tell();
        terminal.expect_exit(code);
        sandbox.assert_names(["it.pid"]);
        assert!(!is_locked(&sandbox.pidfile()), "stale");
    }
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let mut terminal = reserved(&sandbox, "reserve wait");
        terminal.signal(signal);
        terminal.expect_death_by(signal);
        sandbox.assert_names(["it.pid"]);
    }
    // Dropped explicitly, by a return from `main`, and by a panic.
    for (ending, code) in [("drop-reservation wait", 0), ("", 0), ("panic", 101)] {
        let mut terminal = reserved(&sandbox, &format!("reserve wait {ending}"));
        terminal.tell();
        terminal.let_go();
        terminal.expect_exit(code);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_reservation_that_a_forked_child_drops_is_still_the_parents() {
    let sandbox = Sandbox::new();
    for child in ["drop-reservation,_exit:7", "exit:7"] {
        let mut terminal = reserved(&sandbox, &format!("reserve fork={child} reap adopt wait"));
        terminal.expect("child exited 7");
        terminal.expect_held(&sandbox.pidfile());
        assert!(is_locked(&sandbox.pidfile()));
        terminal.signal(SIGTERM);
        terminal.expect_death_by(SIGTERM);
        sandbox.assert_names([]);
    }
}

#[test]
fn without_a_fork_an_adoption_is_a_guard_like_any_other() {
    let sandbox = Sandbox::new();
    let mut terminal = reserved(&sandbox, "reserve adopt say=ready wait");
    terminal.expect_held(&sandbox.pidfile());
    terminal.expect("ready");
    terminal.signal(SIGHUP);
    terminal.expect_death_by(SIGHUP);
    sandbox.assert_names([]);
}

#[test]
fn a_name_that_was_replaced_before_the_adoption_is_lost_and_left_alone() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for replace in [true, false] {
        let mut terminal = reserved(&sandbox, "reserve wait detach=fork adopt say=went-on");
        fs::remove_file(&path).unwrap();
        if replace {
            fs::write(&path, "2147483647\n").unwrap();
        }
        let before = replace.then(|| Snapshot::of(&path));
        terminal.tell();
        terminal.refusal().expect("Lost", 71);
        terminal.expect("went-on");
        terminal.expect_exit(0);
        assert_eq!(path.exists().then(|| Snapshot::of(&path)), before);
        assert_eq!(sandbox.names().len(), usize::from(replace));
    }
}

#[test]
fn what_a_killed_adoption_left_is_gone_after_a_take_over_a_reservation_or_an_adoption() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    // The one hidden name that an adoption needs for a moment.
    let leftover = sandbox.path(".it.pid.adopt");
    fs::write(&path, "2147483647\n").unwrap();
    fs::write(&leftover, "2147483646\n").unwrap();
    sandbox.assert_next_start_works();
    assert!(!leftover.exists(), "after a take-over");

    fs::write(&leftover, "2147483646\n").unwrap();
    let terminal = reserved(&sandbox, "reserve wait detach=nix adopt park");
    assert!(!leftover.exists(), "after a reservation");
    fs::write(&leftover, "2147483646\n").unwrap();
    let (_daemon, _) = detached(terminal, &path);
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn of_two_children_only_one_adopts() {
    for _ in 0..storm(20, 500) {
        let sandbox = Sandbox::new();
        let steps = "reserve fork=adopt,wait fork=adopt,wait reap reap";
        let mut parent = holder(sandbox.pidfile()).steps(steps).start();
        parent.expect("reserved ");
        let mut answers = [parent.line().unwrap(), parent.line().unwrap()];
        answers.sort();
        assert!(answers[0].starts_with("held "), "{answers:?}");
        assert!(answers[1].starts_with("refused\tLost\t"), "{answers:?}");
        sandbox.assert_names(["it.pid"]);
        drop(parent);
    }
}
