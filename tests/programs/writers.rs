//! `writers KIND PATH`: a program that changes its pidfile all the time, for a test that reads it.
//!
//! | kind | what it does until there is input |
//! |---|---|
//! | `fresh` | acquires the file and releases it |
//! | `take-over` | puts a stale file there, takes it over and releases it |
//! | `adopt` | holds the file, hands it over to a forked child that adopts it, and so on |
//! | `killed` | for each line: forks a child that acquires the file, kills it, and says `killed` |
//!
//! It prints `record` and a number before the file may name that process, and `done` at its end.

use std::ffi::OsString;
use std::fs;
use std::io::stdin;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, alarm, fork};
use pidfile::{Error, Options, PidFile};

/// What a killed program may have left: the records of a small id, and of the largest that Linux has.
const STALE: [&str; 2] = ["7\n", "4194303\n"];
/// For how long a program holds its file now and then.
const STAY: Duration = Duration::from_micros(100);
/// No process outlives its test by more than this.
const ALARM_SECONDS: u32 = 300;

fn main() {
    alarm::set(ALARM_SECONDS);
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [kind, path] = arguments.as_slice() else {
        panic!("KIND PATH");
    };
    let path = Path::new(path);
    let options = Options::new().path(path);
    match kind.to_str() {
        Some("fresh") => {
            announce();
            for round in 0.. {
                if is_told() {
                    break;
                }
                hold_and_release(&options, round);
            }
        }
        Some("take-over") => {
            announce();
            // Linked into place, so that they are whole at every moment.
            let stale = STALE.map(|record| {
                let file = path.with_extension(record.trim());
                fs::write(&file, record).expect("a stale file");
                file
            });
            for (round, file) in stale.iter().cycle().enumerate() {
                if is_told() {
                    break;
                }
                fs::hard_link(file, path).expect("link");
                hold_and_release(&options, round);
            }
        }
        Some("adopt") => adopt(&options),
        Some("killed") => {
            while stdin().read_line(&mut String::new()).expect("text") > 0 {
                acquire_and_die(&options);
                println!("killed");
            }
        }
        _ => panic!("{} is not a kind", kind.display()),
    }
    println!("done");
}

/// Announces a record of this process.
fn announce() {
    println!("record {}", std::process::id());
}

fn hold_and_release(options: &Options, round: usize) {
    match options.acquire() {
        Ok(guard) => {
            if round.is_multiple_of(3) {
                // So that readers meet the file on a busy machine, too.
                sleep(STAY);
            }
            guard.release().expect("release");
        }
        Err(Error::Locked { .. }) => {}
        Err(error) => panic!("{error:?}"),
    }
}

/// Whether there is a line on the standard input, or its end. Nothing is read, so every child knows
/// it too.
fn is_told() -> bool {
    let input = stdin();
    let mut ask = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    poll(&mut ask, PollTimeout::ZERO).is_ok_and(|answers| answers > 0)
}

fn acquire_and_die(options: &Options) {
    if forked() {
        announce();
        let _held = options.acquire().expect("acquire");
        raise(Signal::SIGKILL).expect("raise");
    }
    let end = wait().expect("a child");
    let is_killed = matches!(end, WaitStatus::Signaled(_, Signal::SIGKILL, _));
    assert!(is_killed, "{end:?}");
}

/// A chain of processes, each of which adopts what the one before held. This process reaps them all.
fn adopt(options: &Options) {
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true).expect("PR_SET_CHILD_SUBREAPER");
    if forked() {
        alarm::set(ALARM_SECONDS);
        announce();
        chain(options.acquire().expect("acquire"));
    }
    while wait() != Err(Errno::ECHILD) {}
}

/// Hands over until there is input, and then releases the file.
fn chain(mut guard: PidFile) -> ! {
    while !is_told() {
        let reservation = guard.hand_over();
        if !forked() {
            // The child has the lock as well.
            std::mem::forget(reservation);
            exit(0);
        }
        alarm::set(ALARM_SECONDS);
        announce();
        guard = reservation.adopt().expect("adopt");
    }
    guard.release().expect("release");
    exit(0)
}

/// Whether this is the forked child.
#[allow(unsafe_code, reason = "fork")]
fn forked() -> bool {
    // SAFETY: this process has one thread, so the child may do anything.
    matches!(unsafe { fork() }.expect("fork"), ForkResult::Child)
}
