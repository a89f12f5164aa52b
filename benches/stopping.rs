//! How long it takes to stop a holder and know that it is gone, beside what
//! scripts do: `kill`, and then a look every 100 ms.
//!
//! ```text
//! cargo bench -p pidfile-benches --bench stopping
//! ```
//!
//! Every holder is a process of its own: this program, started anew.

use std::env;
use std::io::{BufRead, BufReader, stdin};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pidfile::Options;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How often each way is measured.
const RUNS: usize = 101;
/// Between two looks, as `start-stop-daemon` and most scripts do it.
const POLL: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().collect();
    if arguments.get(1).map(String::as_str) == Some("hold") {
        return hold(Path::new(&arguments[2]));
    }
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("it.pid");
    measure("holder() alone", &path, |path, child| {
        let begun = Instant::now();
        let holder = pidfile::holder(path)?.ok_or("no holder")?;
        let time = begun.elapsed();
        holder.stop(PATIENCE)?;
        child.wait()?;
        Ok(time)
    })?;
    measure("holder() and stop()", &path, |path, child| {
        let begun = Instant::now();
        let holder = pidfile::holder(path)?.ok_or("no holder")?;
        holder.stop(PATIENCE)?;
        let time = begun.elapsed();
        child.wait()?;
        Ok(time)
    })?;
    measure("kill, then a look every 100 ms", &path, |path, child| {
        let begun = Instant::now();
        let pid: i32 = std::fs::read_to_string(path)?.trim().parse()?;
        let pid = Pid::from_raw(pid);
        kill(pid, Signal::SIGTERM)?;
        // The parent, which is another program as a rule, reaps it meanwhile.
        while child.try_wait()?.is_none() && kill(pid, None) != Err(Errno::ESRCH) {
            thread::sleep(POLL);
        }
        Ok(begun.elapsed())
    })
}

/// Holds the file until it is stopped.
fn hold(path: &Path) -> Result<()> {
    let _held = Options::new().path(path).acquire()?;
    println!("held");
    stdin().read_line(&mut String::new())?;
    Ok(())
}

fn measure(
    way: &str,
    path: &Path,
    stop: impl Fn(&Path, &mut Child) -> Result<Duration>,
) -> Result<()> {
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let mut child = Command::new(env::current_exe()?)
            .arg("hold")
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        output.read_line(&mut String::new())?;
        times.push(stop(path, &mut child)?);
        child.wait()?;
    }
    times.sort_unstable();
    println!(
        "{way:31}: median {} us, longest of {RUNS} {} us",
        times[RUNS / 2].as_micros(),
        times[RUNS - 1].as_micros()
    );
    Ok(())
}
