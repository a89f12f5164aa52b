//! How long it takes to stop a holder and know that it is gone, beside what
//! scripts do: `kill`, and then a look every 100 ms.
//!
//! Every holder is a process of its own: this program, started anew.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::{Result, take_turns_with};

/// Between two looks, as `start-stop-daemon` and most scripts do it.
const POLL: Duration = Duration::from_millis(100);
/// Longer than any holder here takes to end.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(way: &str, dir: &Path) -> Result<()> {
    let path = dir.join("it.pid");
    let way = match way {
        "holder" => identify,
        "pidfile" => stop,
        "poll" => kill_and_poll,
        _ => return Err(format!("there is no way {way} to stop a holder").into()),
    };
    take_turns_with(|| {
        let mut child = Command::new(env::current_exe()?)
            .arg("as-holder")
            .arg(&path)
            .arg("SIGTERM")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        output.read_line(&mut String::new())?;
        let time = way(&path, &mut child)?;
        child.wait()?;
        Ok(time)
    })
}

fn identify(path: &Path, _: &mut Child) -> Result<Duration> {
    let begun = Instant::now();
    let holder = pidfile::holder(path)?.ok_or("no holder")?;
    let time = begun.elapsed();
    holder.stop(PATIENCE)?;
    Ok(time)
}

fn stop(path: &Path, _: &mut Child) -> Result<Duration> {
    let begun = Instant::now();
    let holder = pidfile::holder(path)?.ok_or("no holder")?;
    holder.stop(PATIENCE)?;
    Ok(begun.elapsed())
}

fn kill_and_poll(path: &Path, child: &mut Child) -> Result<Duration> {
    let begun = Instant::now();
    let pid = Pid::from_raw(fs::read_to_string(path)?.trim().parse()?);
    kill(pid, Signal::SIGTERM)?;
    // The parent, which is another program as a rule, reaps it meanwhile.
    while child.try_wait()?.is_none() && kill(pid, None) != Err(Errno::ESRCH) {
        thread::sleep(POLL);
    }
    Ok(begun.elapsed())
}
