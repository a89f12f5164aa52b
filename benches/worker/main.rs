//! `bench-worker WAY ARGUMENT...`: measures one way to do something, in turns.
//!
//! It prints `ready`, and then reads numbers: for each it takes so many rounds
//! and prints the nanoseconds of an average one. The script `run` starts one
//! worker for each way and lets them take turns, so that a change of the
//! machine's speed meets all of them.
//!
//! | way | a round |
//! |---|---|
//! | `raw DIR` | the fewest calls that publish and remove a locked file |
//! | `careful DIR` | the same by a directory's descriptor, with a look at what is removed |
//! | `pidfile DIR` | acquire and release |
//! | `held DIR N` | the same while the process holds N other files |
//! | `start PROGRAM` | starts the program and waits for its end |
//! | `wait pidfile DIR END`, `wait flock DIR END` | from the holder's end, by `release`, `exit` or `SIGKILL`, to the waiter's hold |
//! | `stop holder DIR`, `stop pidfile DIR`, `stop poll DIR` | identifies a holder; stops it; kills it and looks every 100 ms |

mod stopping;
mod waiting;

use std::env;
use std::fmt::Display;
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use pidfile_benches::{acquire_and_release, careful_calls, hold, raw_calls};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["raw", dir] => {
            let dir = Path::new(dir);
            let path = dir.join("raw.pid");
            timed(|| Ok(raw_calls(dir, &path)?))
        }
        ["careful", dir] => timed(|| Ok(careful_calls(Path::new(dir), "careful.pid")?)),
        ["pidfile", dir] => {
            let path = Path::new(dir).join("pidfile.pid");
            timed(|| Ok(acquire_and_release(&path)?))
        }
        ["held", dir, count] => {
            let (_, limit) = getrlimit(Resource::RLIMIT_NOFILE)?;
            setrlimit(Resource::RLIMIT_NOFILE, limit, limit)?;
            let _held = hold(Path::new(dir), count.parse()?)?;
            let path = Path::new(dir).join("it.pid");
            timed(|| Ok(acquire_and_release(&path)?))
        }
        ["start", program] => timed(|| {
            let status = Command::new(program).stdin(Stdio::null()).status()?;
            if status.success() {
                return Ok(());
            }
            Err(format!("{program} has ended with {status}").into())
        }),
        ["wait", way, dir, end] => waiting::measure(way, Path::new(dir), end),
        ["stop", way, dir] => stopping::measure(way, Path::new(dir)),
        ["as-holder", path, end] => waiting::hold(Path::new(path), end),
        ["as-waiter", way, path] => waiting::wait(way, Path::new(path)),
        _ => Err("the documentation of worker/main.rs lists the ways".into()),
    }
}

/// Takes turns with a round that is timed from its beginning to its end.
fn timed(mut round: impl FnMut() -> Result<()>) -> Result<()> {
    take_turns(|rounds| {
        let begun = Instant::now();
        for _ in 0..rounds {
            round()?;
        }
        Ok(begun.elapsed())
    })
}

/// Takes turns with a round that reports its own time.
fn take_turns_with(mut round: impl FnMut() -> Result<Duration>) -> Result<()> {
    take_turns(|rounds| (0..rounds).map(|_| round()).sum())
}

fn take_turns(mut rounds: impl FnMut(u32) -> Result<Duration>) -> Result<()> {
    say("ready")?;
    for line in stdin().lines() {
        let count: u32 = line?.trim().parse()?;
        say((rounds(count)? / count).as_nanos())?;
    }
    Ok(())
}

fn say(text: impl Display) -> Result<()> {
    println!("{text}");
    Ok(stdout().flush()?)
}
