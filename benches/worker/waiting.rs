//! How long after the end of a holder its waiter holds, beside a blocking
//! `flock`.
//!
//! Holder and waiter are this program, started anew.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdin};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio, exit};
use std::thread;
use std::time::Duration;

use nix::fcntl::FlockArg;
use nix::time::{ClockId, clock_gettime};
use pidfile::Options;
use pidfile_benches::lock;

use crate::{Result, say, take_turns_with};

/// Longer than any wait here.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(way: &str, dir: &Path, end: &str) -> Result<()> {
    let path = dir.join("it.pid");
    let path = path.to_str().ok_or("a directory that is not UTF-8")?;
    take_turns_with(|| {
        let mut holder = Program::start(&["as-holder", path, end])?;
        holder.line()?;
        let mut waiter = Program::start(&["as-waiter", way, path])?;
        waiter.line()?;
        waiter.wait_until_it_sleeps()?;
        let ended = if end == "SIGKILL" {
            let ended = now()?;
            holder.child.kill()?;
            ended
        } else {
            holder.input.write_all(b"\n")?;
            Duration::from_nanos(holder.line()?.parse()?)
        };
        let held = Duration::from_nanos(waiter.line()?.parse()?);
        holder.child.wait()?;
        waiter.child.wait()?;
        // After a SIGKILL, a waiter that does not clean up leaves the stale file.
        let _ = std::fs::remove_file(path);
        Ok(held.saturating_sub(ended))
    })
}

/// Holds the file until it is told to end.
pub(crate) fn hold(path: &Path, end: &str) -> Result<()> {
    let held = Options::new().path(path).acquire()?;
    say("held")?;
    stdin().read_line(&mut String::new())?;
    say(now()?.as_nanos())?;
    if end == "exit" {
        exit(0);
    }
    Ok(held.release()?)
}

/// Waits for the file, and reports when it holds it.
pub(crate) fn wait(way: &str, path: &Path) -> Result<()> {
    if way == "flock" {
        let file = File::open(path)?;
        say("waiting")?;
        lock(&file, FlockArg::LockExclusive)?;
        return say(now()?.as_nanos());
    }
    let options = Options::new().path(path).wait(PATIENCE);
    say("waiting")?;
    let held = options.acquire()?;
    say(now()?.as_nanos())?;
    Ok(held.release()?)
}

/// The time on the clock that all processes share.
fn now() -> Result<Duration> {
    Ok(Duration::from(clock_gettime(ClockId::CLOCK_MONOTONIC)?))
}

struct Program {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Result<Program> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no stdin")?;
        let output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        Ok(Program {
            child,
            input,
            output,
        })
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    /// Until the program sleeps and is not about to do anything.
    fn wait_until_it_sleeps(&self) -> Result<()> {
        let path = format!("/proc/{}/stat", self.child.id());
        let mut quiet = 0;
        while quiet < 5 {
            thread::sleep(Duration::from_millis(1));
            let stat = std::fs::read_to_string(&path)?;
            quiet = if stat.contains(") S ") { quiet + 1 } else { 0 };
        }
        Ok(())
    }
}
