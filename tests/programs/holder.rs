//! A program that does what its arguments say, one after the other, and ends
//! in the way the last one says. Most tests start it, because what a pidfile
//! promises is promised to whole processes.
//!
//! An argument `name=value` that names an option of `pidfile::Options` sets it
//! for every later `acquire`; all others are steps. A failing step panics: the
//! test that wrote it sees the message and a status that it did not expect.

mod daemon;
mod fault;
mod process;
#[cfg(target_os = "linux")]
mod refusals;
mod surroundings;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::exit;
use std::str::FromStr;
use std::time::Duration;

use pidfile::{Options, PidFile, Reservation};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    surroundings::end_with_the_test();
    let mut holder = Holder::default();
    for argument in std::env::args_os().skip(1) {
        holder.obey(&argument)?;
    }
    // A return from `main` drops what is still held.
    Ok(())
}

/// What the arguments so far have built up.
#[derive(Default)]
pub(crate) struct Holder {
    options: Options,
    guards: Vec<PidFile>,
    reservations: Vec<Reservation>,
}

impl Holder {
    /// One argument. The only error is that of `question`, for `main` to return.
    pub(crate) fn obey(&mut self, argument: &OsStr) -> Result<(), Box<dyn std::error::Error>> {
        let (name, value) = split(argument);
        if let Some(options) = set(self.options.clone(), &name, &value) {
            self.options = options;
            return Ok(());
        }
        match name.as_str() {
            // Holding.
            "acquire" => self.acquire(|error| exit(error.exit_code().into())),
            "try" => self.acquire(|_| ()),
            "release" => report_release(self.newest().release()),
            "drop" => drop(self.newest()),
            "drop-first" => drop(self.guards.remove(0)),
            "forget" => std::mem::forget(self.newest()),
            "verify" => println!("verify {:?}", self.guards.last().expect("held").verify()),
            "cleanup" => pidfile::cleanup(),
            "status" => match self.options.status() {
                Ok(status) => println!("status {status:?}"),
                Err(error) => report_refusal(&error),
            },
            "resolve" => match self.options.resolved_path() {
                Ok(path) => println!("resolved {}", path.display()),
                Err(error) => report_refusal(&error),
            },

            // Talking with the test.
            "say" => println!("{}", value.to_string_lossy()),
            "wait" => surroundings::wait_for_a_line(),

            // Ending.
            "question" => self.question()?,
            "exit" => exit(number(&value)),
            "panic" => panic!("as the test wants it"),
            "abort" => std::process::abort(),
            other if daemon::obey(other, &value, self) => {}
            other if process::obey(other, &value, self) => {}
            other if surroundings::obey(other, &value) => {}
            #[cfg(target_os = "linux")]
            other if refusals::obey(other, &value) => {}
            other if fault::obey(other, &value) => {}
            other => panic!("{other} is no step"),
        }
        Ok(())
    }

    fn acquire(&mut self, refused: impl FnOnce(&pidfile::Error)) {
        self.keep(self.options.acquire(), refused);
    }

    /// Says what came of an attempt, and keeps what is held.
    pub(crate) fn keep(
        &mut self,
        attempt: pidfile::Result<PidFile>,
        refused: impl FnOnce(&pidfile::Error),
    ) {
        match attempt {
            Ok(guard) => {
                println!("held {} {}", guard.pid(), guard.path().display());
                self.guards.push(guard);
            }
            Err(error) => {
                report_refusal(&error);
                refused(&error);
            }
        }
    }

    /// The file that holders work beside, for steps that need more files.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.options.resolved_path().expect("a path was set")
    }

    fn newest(&mut self) -> PidFile {
        self.guards.pop().expect("something is held")
    }

    /// What a `?` in `main` does: return an error while the guard is alive.
    fn question(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let _guards = std::mem::take(&mut self.guards);
        Err("as the test wants it")?
    }
}

/// One line: variant, pid, exit code, path and message, with tabs between.
pub(crate) fn report_refusal(error: &pidfile::Error) {
    let variant = format!("{error:?}");
    let variant = variant.split(':').next().unwrap_or_default();
    let pid = error.pid().map(|pid| pid.to_string()).unwrap_or_default();
    let path = error
        .path()
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    println!(
        "refused\t{variant}\t{pid}\t{}\t{path}\t{error}",
        error.exit_code()
    );
}

fn report_release(result: pidfile::Result<()>) {
    match result {
        Ok(()) => println!("released"),
        Err(error) => report_refusal(&error),
    }
}

/// `name=value` or `name`; the value's bytes are kept as they are.
pub(crate) fn split(argument: &OsStr) -> (String, OsString) {
    let bytes = argument.as_bytes();
    let end = bytes
        .iter()
        .position(|&byte| byte == b'=')
        .unwrap_or(bytes.len());
    let value = bytes.get(end + 1..).unwrap_or_default();
    (
        String::from_utf8_lossy(&bytes[..end]).into_owned(),
        OsStr::from_bytes(value).to_owned(),
    )
}

fn set(options: Options, name: &str, value: &OsStr) -> Option<Options> {
    Some(match name {
        "path" => options.path(value),
        "name" => options.name(value),
        "dir" => options.dir(value),
        "dot_pid" => options.dot_pid(number(value)),
        "temp_dir" => options.temp_dir(number(value)),
        "chmod" => options.chmod(octal(value)),
        "uid" => options.uid(number(value)),
        "gid" => options.gid(number(value)),
        "owner" => options.owner(value.to_str()?),
        "group" => options.group(value.to_str()?),
        "lock" => options.lock(number(value)),
        "refuse_live" => options.refuse_live(number(value)),
        "allow_same_process" => options.allow_same_process(number(value)),
        "at_exit" => options.at_exit(number(value)),
        "signals" => options.signals(number(value)),
        "patience" if value == "max" => options.wait(Duration::MAX),
        "patience" => options.wait(Duration::from_millis(number(value))),
        _ => return None,
    })
}

/// A number, or anything else with a text form.
pub(crate) fn number<T: FromStr>(value: &OsStr) -> T {
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .expect("the step takes a value of its type")
}

/// A mode, in the type that this system gives it.
pub(crate) fn octal<T: TryFrom<u32>>(value: &OsStr) -> T {
    let bits = u32::from_str_radix(value.to_str().unwrap_or_default(), 8).ok();
    bits.and_then(|bits| bits.try_into().ok())
        .expect("the step takes a mode")
}
