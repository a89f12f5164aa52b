//! `faulty OPERATION PATH`: takes one operation between two marks, for a test that traces it and makes
//! its system calls fail.
//!
//! A mark is a call of `getppid`, which nothing else here makes. Whatever belongs to the preparation
//! happens before the first mark, and what belongs to the report after the second one. The program
//! prints `ok WHAT`, or `error VARIANT ERRNO`, and ends with status 0; a guard that it still has is
//! released then. `term` and `exit` end between the marks.

use std::error::Error as _;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::exit;
use std::time::Duration;

use nix::sys::ptrace;
use nix::sys::signal::{Signal, raise};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, alarm, fork, geteuid, getppid};
use pidfile::{Error, Holder, Options, PidFile, Reservation};

/// A program that hangs is ended by its alarm, and so is each child of it.
const ALARM_SECONDS: u32 = 60;
/// How long an operation waits that is meant to wait.
const PATIENCE: Duration = Duration::from_secs(40);
/// How long it waits for a holder that does not end.
const IN_VAIN: Duration = Duration::from_millis(30);

fn main() {
    alarm::set(ALARM_SECONDS);
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [operation, path] = arguments.as_slice() else {
        panic!("OPERATION PATH");
    };
    let options = Options::new().path(path);
    if let Err(errno) = ptrace::traceme() {
        println!("untraced {errno}");
        return;
    }
    raise(Signal::SIGSTOP).expect("raise");
    match operation.to_str() {
        Some("acquire") => report(&between_marks(|| options.acquire())),
        Some("chmod") => {
            // Its own user, which is a call all the same.
            let options = options.chmod(0o600).uid(geteuid().as_raw());
            report(&between_marks(|| options.acquire()));
        }
        Some("strict") => {
            let options = options.refuse_live(true);
            report(&between_marks(|| options.acquire()));
        }
        Some("wait") => {
            let options = options.wait(PATIENCE);
            report(&between_marks(|| options.acquire()));
        }
        Some("release") => {
            let guard = options.acquire().expect("acquire");
            report(&between_marks(|| guard.release()));
        }
        Some("cleanup") => {
            let guard = options.acquire().expect("acquire");
            between_marks(pidfile::cleanup);
            println!("ok");
            drop(guard);
        }
        // The mark after an end is the end itself.
        Some("term") => {
            let _guard = options.acquire().expect("acquire");
            getppid();
            raise(Signal::SIGTERM).expect("raise");
        }
        Some("exit") => {
            let _guard = options.acquire().expect("acquire");
            getppid();
            exit(0);
        }
        Some("make") => {
            let dir = Path::new(path).parent().expect("it is absolute");
            let options = Options::new().dir(dir).name("it");
            report(&between_marks(|| options.acquire()));
        }
        Some("replace") => {
            let options = options.replace(PATIENCE);
            report(&between_marks(|| options.acquire()));
        }
        Some("find") => report(&between_marks(|| {
            Ok(options.holder()?.map(|holder| holder.pid()))
        })),
        Some("stop") => report(&between_marks(|| {
            end(&options, |holder| holder.stop(PATIENCE))
        })),
        Some("stop-in-vain") => report(&between_marks(|| {
            end(&options, |holder| holder.stop(IN_VAIN))
        })),
        Some("kill") => report(&between_marks(|| {
            end(&options, |holder| holder.kill(PATIENCE))
        })),
        Some("adopt") => adopt(options.reserve().expect("reserve")),
        Some("status") => report(&between_marks(|| options.status())),
        _ => panic!("{} is not an operation", operation.display()),
    }
}

/// Ends the holder, if there is one. Returns its number.
fn end(
    options: &Options,
    end: impl FnOnce(&Holder) -> pidfile::Result<()>,
) -> pidfile::Result<Option<u32>> {
    let Some(holder) = options.holder()? else {
        return Ok(None);
    };
    end(&holder)?;
    Ok(Some(holder.pid()))
}

fn between_marks<Answer>(operation: impl FnOnce() -> Answer) -> Answer {
    getppid();
    let answer = operation();
    getppid();
    answer
}

/// A child adopts. The parent, which shares the lock until then, waits for the child's end, and cleans
/// up nothing.
#[allow(unsafe_code, reason = "fork")]
fn adopt(reservation: Reservation) {
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => {
            std::mem::forget(reservation);
            waitpid(child, None).expect("it is our child");
        }
        ForkResult::Child => {
            // A forked child does not inherit the alarm.
            alarm::set(ALARM_SECONDS);
            report(&between_marks(|| reservation.adopt()));
        }
    }
}

/// Prints the answer.
fn report(answer: &pidfile::Result<impl Answer>) {
    match answer {
        Ok(answer) => println!("ok {}", answer.describe()),
        Err(error) => println!("error {} {}", variant(error), errno(error)),
    }
}

fn variant(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split(':').next().unwrap_or_default().to_owned()
}

/// The system's error behind it, or 0.
fn errno(error: &Error) -> i32 {
    let source = error.source();
    let source = source.and_then(|source| source.downcast_ref::<io::Error>());
    source.and_then(io::Error::raw_os_error).unwrap_or_default()
}

/// What an operation returns when it succeeds.
trait Answer {
    fn describe(&self) -> String;
}

impl Answer for PidFile {
    fn describe(&self) -> String {
        self.pid().to_string()
    }
}

impl Answer for Option<u32> {
    fn describe(&self) -> String {
        self.map_or_else(|| "nobody".into(), |pid| pid.to_string())
    }
}

impl Answer for () {
    fn describe(&self) -> String {
        String::new()
    }
}

impl Answer for pidfile::Status {
    fn describe(&self) -> String {
        format!("{self:?}")
    }
}
