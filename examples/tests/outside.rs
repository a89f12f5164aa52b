//! The programs `service` and `ctl`, as an operator uses them.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, geteuid, mkfifo};

/// A folder with a pidfile, and the service that may run there.
struct Place {
    folder: tempfile::TempDir,
    pidfile: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let pidfile = folder.path().canonicalize().unwrap().join("thermod.pid");
        Place { folder, pidfile }
    }

    fn service(&self, arguments: &[&str]) -> Output {
        run(Command::new(env!("CARGO_BIN_EXE_service"))
            .args(arguments)
            .arg("--pidfile")
            .arg(&self.pidfile)
            .arg("--log")
            .arg(self.log()))
    }

    fn ctl(&self, arguments: &[&str]) -> Output {
        run(Command::new(env!("CARGO_BIN_EXE_ctl"))
            .arg(&self.pidfile)
            .args(arguments))
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn pid(&self) -> i32 {
        let text = fs::read_to_string(&self.pidfile).expect("the pidfile");
        text.trim().parse().expect("a number")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(Some(holder)) = pidfile::holder(&self.pidfile) {
            let _ = holder.kill(Duration::from_secs(10));
        }
    }
}

fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .expect("it can be started")
}

#[track_caller]
fn expect(output: &Output, status: i32, text: &str) {
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(text), "{text:?} is not in {said:?}");
}

#[track_caller]
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process that must outlive the test.
struct Stranger(Child);

impl Stranger {
    fn new() -> Stranger {
        Stranger(Command::new("sleep").arg("600").spawn().expect("sleep"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let ended = self.0.try_wait().expect("it is our child");
        let _ = self.0.kill();
        let _ = self.0.wait();
        assert!(
            std::thread::panicking() || ended.is_none(),
            "the stranger was harmed"
        );
    }
}

fn log_contains(path: &Path, text: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|log| log.contains(text))
}

#[test]
fn a_service_starts_reloads_restarts_and_stops() {
    let place = Place::new();
    expect(&place.service(&["status"]), 3, "does not exist");
    expect(&place.service(&["stop"]), 0, "not running");
    expect(&place.service(&["reload"]), 7, "");

    expect(&place.service(&["start"]), 0, "");
    let first = place.pid();
    expect(
        &place.service(&["status"]),
        0,
        &format!("held by process {first}"),
    );
    expect(&place.service(&["start"]), 0, "already running");
    assert_eq!(place.pid(), first);

    expect(&place.service(&["reload"]), 0, "");
    eventually("the reload", || {
        log_contains(&place.log(), "configuration read again")
    });

    expect(&place.service(&["restart"]), 0, "");
    let second = place.pid();
    assert_ne!(first, second);
    assert!(log_contains(&place.log(), "stopping"));

    kill(Pid::from_raw(second), Signal::SIGKILL).unwrap();
    eventually("the end", || {
        place.service(&["status"]).status.code() == Some(1)
    });
    expect(&place.service(&["start"]), 0, "");
    expect(&place.service(&["stop"]), 0, "");
    assert!(!place.pidfile.exists());
    expect(&place.service(&["restart"]), 0, "");
    expect(&place.service(&["stop"]), 0, "");
}

#[test]
fn a_service_drops_its_privileges_and_is_stopped_by_root() {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let place = Place::new();
    expect(&place.service(&["start", "--user", "nobody"]), 0, "");
    let holder = pidfile::holder(&place.pidfile).unwrap().expect("it runs");
    assert_ne!(holder.uid(), Some(0));
    expect(&place.service(&["stop"]), 0, "");
    // Its user may not remove the file from the folder of root, so it was emptied.
    expect(&place.service(&["status"]), 3, "stale and empty");
}

#[test]
fn a_service_that_cannot_start_says_so_and_leaves_nothing() {
    let place = Place::new();
    fs::write(&place.pidfile, "a letter\n").unwrap();
    expect(&place.service(&["start"]), 1, "is not a pidfile");
    expect(&place.service(&["status"]), 4, "not a pidfile");
    fs::remove_file(&place.pidfile).unwrap();
    if geteuid().is_root() {
        expect(
            &place.service(&["start", "--user", "no-such-user"]),
            1,
            "no-such-user",
        );
        assert!(!place.pidfile.exists());
    }
}

#[test]
fn a_service_that_is_not_ready_in_time_is_killed() {
    let place = Place::new();
    // A pipe that is full: the service can write nothing to its log, and so does not get ready.
    let mut log = full_pipe(&place.log());
    let output = place.service(&["start", "--timeout", "1"]);
    expect(&output, 1, "it was not ready after 1s, and was killed");
    assert!(pidfile::holder(&place.pidfile).unwrap().is_none());

    log.read_exact(&mut [0; 4096]).unwrap();
    expect(&place.service(&["start"]), 0, "");
    expect(&place.service(&["stop"]), 0, "");
    assert!(!place.pidfile.exists());
}

/// A FIFO that takes nothing more, as long as it is not read.
fn full_pipe(path: &Path) -> File {
    mkfifo(path, Mode::from_bits_truncate(0o600)).unwrap();
    let mut pipe = File::options()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .unwrap();
    while pipe.write(&[b'.'; 4096]).is_ok() {}
    pipe
}

#[test]
fn ctl_deals_with_the_holder_and_with_no_other_process() {
    let place = Place::new();
    let stranger = Stranger::new();
    for action in ["holder", "status", "stop", "wait"] {
        expect(&place.ctl(&[action]), 3, "");
    }
    // Stale, and naming a stranger.
    fs::write(&place.pidfile, format!("{}\n", stranger.0.id())).unwrap();
    for action in [&["holder"][..], &["stop", "--kill"], &["signal", "TERM"]] {
        expect(&place.ctl(action), 3, "no process holds");
    }
    expect(&place.service(&["start"]), 0, "");
    let pid = place.pid();
    expect(
        &place.ctl(&["holder"]),
        0,
        &format!("process {pid} (service)"),
    );
    expect(
        &place.ctl(&["status"]),
        0,
        &format!("held by process {pid}"),
    );
    expect(&place.ctl(&["wait", "--timeout", "0.05"]), 2, "still there");
    expect(&place.ctl(&["signal", "HUP"]), 0, "signalled");
    eventually("the reload", || {
        log_contains(&place.log(), "configuration read again")
    });
    let json = place.ctl(&["holder", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(object["pid"], pid);
    assert_eq!(object["exit"], 0);
    assert_eq!(object["suspended"], false);

    // The file names the stranger, and another process has the lock.
    fs::write(&place.pidfile, format!("{}\n", stranger.0.id())).unwrap();
    for action in [&["holder"][..], &["stop", "--kill"], &["signal", "TERM"]] {
        let output = place.ctl(action);
        expect(
            &output,
            4,
            &format!("but the file names process {}", stranger.0.id()),
        );
    }
    fs::write(&place.pidfile, format!("{pid}\n")).unwrap();
    expect(&place.ctl(&["stop"]), 0, "stopped");
    assert!(!place.pidfile.exists());

    for wrong in [
        &["dance"][..],
        &["signal"],
        &["signal", "FOO"],
        &["wait", "--timeout", "x"],
    ] {
        expect(&place.ctl(wrong), 64, "");
    }
}
