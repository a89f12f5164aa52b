//! `stepped PATH`: forks processes that a test runs one system call at a time.
//!
//! Each line of the input is one run: processes with `;` between them, each a list of steps. Steps
//! before a `/` are taken by a process that then forks the others and sleeps until it is killed.
//!
//! | step | what it does | what it prints |
//! |---|---|---|
//! | `no-nameless-files` `no-links` `no-renames` `no-changes` | makes the kernel refuse this from now on | |
//! | `acquire` `reserve` | starts; a refusal ends the process | `held` or a refusal |
//! | `adopt` | adopts the reservation; a refusal ends the process | the same |
//! | `verify` | asks the guard | `verified`, `lost Gone` and the like |
//! | `release` | releases the guard | `releasing`, then `released` or a refusal |
//! | `status` | asks for the status | `asking`, then `status STATUS` |
//! | `ready` `hold` | tells the test that it got so far | `ready` or `hold` |
//!
//! A refusal is `refused VARIANT PID`. The test reads all of this from the memory of the process, at
//! its call of `write`, so the output may go nowhere.
//!
//! A clock that is read has moved on by ten milliseconds, and the test skips all sleeps. So what a
//! process does depends only on the answers to its system calls.

#[path = "holder/seccomp.rs"]
mod seccomp;

use std::ffi::OsString;
use std::io::{BufRead, stdin};
use std::process::exit;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use nix::libc;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, alarm, fork, pause};
use pidfile::{Error, Options, PidFile, Reservation};

/// A process that hangs is ended by its alarm.
const ALARM_SECONDS: u32 = 60;
/// How much later it is whenever the clock is read, in milliseconds.
const LATER: i64 = 10;

fn main() {
    let path = std::env::args_os().nth(1).expect("PATH");
    // The kernel reaps the children.
    ignore_the_end_of_children();
    for line in stdin().lock().lines().map_while(Result::ok) {
        if let Some((before, rest)) = line.split_once('/') {
            in_a_child(|| {
                seccomp::take("stop-at-calls");
                let mut process = Process::new(&path);
                process.take(before);
                for steps in rest.split(';') {
                    in_a_child(|| process.take(steps));
                }
                loop {
                    pause();
                }
            });
        } else {
            for steps in line.split(';') {
                in_a_child(|| {
                    seccomp::take("stop-at-calls");
                    Process::new(&path).take(steps);
                });
            }
        }
    }
}

/// Forks a child that does this and exits.
#[allow(unsafe_code, reason = "fork")]
fn in_a_child(work: impl FnOnce()) {
    // SAFETY: this process has one thread, so the child may do anything.
    if let ForkResult::Child = unsafe { fork() }.expect("fork") {
        alarm::set(ALARM_SECONDS);
        work();
        exit(0);
    }
}

#[allow(unsafe_code, reason = "signal")]
fn ignore_the_end_of_children() {
    // SAFETY: no handler is installed.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }.expect("signal");
}

struct Process {
    options: Options,
    guard: Option<PidFile>,
    reservation: Option<Reservation>,
}

impl Process {
    fn new(path: &OsString) -> Process {
        Process {
            options: Options::new().path(path),
            guard: None,
            reservation: None,
        }
    }

    fn take(&mut self, steps: &str) {
        for step in steps.split_whitespace() {
            match step {
                "acquire" => self.guard = Some(held(self.options.acquire())),
                "reserve" => self.reservation = Some(held(self.options.reserve())),
                "adopt" => {
                    let reservation = self.reservation.take().expect("it was reserved");
                    self.guard = Some(held(reservation.adopt()));
                }
                "verify" => match self.guard.as_ref().expect("it holds").verify() {
                    Ok(()) => println!("verified"),
                    Err(lost) => println!("lost {lost:?}"),
                },
                "release" => {
                    println!("releasing");
                    match self.guard.take().expect("it holds").release() {
                        Ok(()) => println!("released"),
                        Err(error) => refused(&error),
                    }
                }
                "status" => {
                    println!("asking");
                    match self.options.status() {
                        Ok(status) => println!("status {status:?}"),
                        Err(error) => refused(&error),
                    }
                }
                "ready" | "hold" => println!("{step}"),
                step => assert!(seccomp::take(step), "{step} is not a step"),
            }
        }
    }
}

fn held<Held>(result: pidfile::Result<Held>) -> Held {
    match result {
        Ok(held) => {
            println!("held");
            held
        }
        Err(error) => {
            refused(&error);
            exit(0);
        }
    }
}

fn refused(error: &Error) {
    let variant = format!("{error:?}");
    let variant = variant.split(':').next().unwrap_or_default();
    let pid = error.pid().map_or(String::new(), |pid| pid.to_string());
    println!("refused {variant} {pid}");
}

/// Takes the place of the C library's function.
#[allow(unsafe_code, reason = "a C function")]
#[unsafe(no_mangle)]
extern "C" fn clock_gettime(_: libc::clockid_t, now: *mut libc::timespec) -> libc::c_int {
    static NOW: AtomicI64 = AtomicI64::new(1_000_000);

    let milliseconds = NOW.fetch_add(LATER, Relaxed);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::unnecessary_cast,
        reason = "32 bits on some systems, and enough"
    )]
    let time = libc::timespec {
        tv_sec: (milliseconds / 1000) as _,
        tv_nsec: (milliseconds % 1000 * 1_000_000) as _,
    };
    // SAFETY: the caller passes a place for the time, as the C function demands.
    unsafe { now.write(time) };
    0
}
