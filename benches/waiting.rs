//! How long after the end of a holder its waiter holds, and how much a sleeping
//! waiter asks of the kernel.
//!
//! ```text
//! cargo bench -p pidfile-benches --bench waiting
//! ```
//!
//! Every figure is from real processes: this program starts itself as holder
//! and as waiter. The system calls are counted by `strace`, where it is there.

use std::env;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio, exit};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use pidfile::Options;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How often each way to end is measured.
const RUNS: usize = 101;
/// How long a waiter is watched in its sleep.
const ASLEEP: Duration = Duration::from_secs(10);

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("hold") => hold(Path::new(&arguments[2]), &arguments[3]),
        Some("wait") => wait(Path::new(&arguments[2])),
        _ => {
            for end in ["release", "exit", "SIGKILL"] {
                measure(end)?;
            }
            count_calls()
        }
    }
}

/// Nanoseconds on the clock that all processes share.
fn now() -> Result<i64> {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(time.tv_sec() * 1_000_000_000 + time.tv_nsec())
}

fn say(text: impl std::fmt::Display) -> Result<()> {
    println!("{text}");
    Ok(stdout().flush()?)
}

/// Holds the file until it is told to end.
fn hold(path: &Path, end: &str) -> Result<()> {
    let held = Options::new().path(path).acquire()?;
    say("held")?;
    stdin().read_line(&mut String::new())?;
    say(now()?)?;
    if end == "exit" {
        exit(0);
    }
    Ok(held.release()?)
}

fn wait(path: &Path) -> Result<()> {
    let held = Options::new()
        .path(path)
        .wait(Duration::from_secs(60))
        .acquire()?;
    say(now()?)?;
    Ok(held.release()?)
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

fn measure(end: &str) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("it.pid");
    let path = path.to_str().ok_or("a temporary path that is not UTF-8")?;
    let mut latencies = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let mut holder = Program::start(&["hold", path, end])?;
        holder.line()?;
        let mut waiter = Program::start(&["wait", path])?;
        waiter.wait_until_it_sleeps()?;
        let ended = if end == "SIGKILL" {
            let ended = now()?;
            holder.child.kill()?;
            ended
        } else {
            holder.input.write_all(b"\n")?;
            holder.line()?.parse()?
        };
        let held: i64 = waiter.line()?.parse()?;
        latencies.push(held - ended);
        holder.child.wait()?;
        waiter.child.wait()?;
    }
    latencies.sort_unstable();
    println!(
        "from {end:8} to the waiter's hold: median {} us, longest of {RUNS} {} us",
        latencies[RUNS / 2] / 1000,
        latencies[RUNS - 1] / 1000
    );
    Ok(())
}

fn count_calls() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("it.pid");
    let path = path.to_str().ok_or("a temporary path that is not UTF-8")?;
    let mut holder = Program::start(&["hold", path, "release"])?;
    holder.line()?;
    let mut waiter = Program::start(&["wait", path])?;
    waiter.wait_until_it_sleeps()?;
    let strace = Command::new("strace")
        .args(["-f", "-qq", "-p", &waiter.child.id().to_string()])
        .stderr(Stdio::piped())
        .spawn();
    if let Ok(mut strace) = strace {
        thread::sleep(ASLEEP);
        kill(Pid::from_raw(strace.id().try_into()?), Signal::SIGINT)?;
        let calls = BufReader::new(strace.stderr.take().ok_or("no stderr")?)
            .lines()
            .count();
        strace.wait()?;
        println!(
            "system calls while asleep: {calls} in {} s",
            ASLEEP.as_secs()
        );
    } else {
        println!("system calls while asleep: skipped, there is no strace");
    }
    holder.input.write_all(b"\n")?;
    holder.line()?;
    waiter.line()?;
    holder.child.wait()?;
    waiter.child.wait()?;
    Ok(())
}
