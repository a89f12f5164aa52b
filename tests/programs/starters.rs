//! `starters PATH RECORD ROUNDS COUNT`: in each round, COUNT processes start at once on a stale file
//! that names the process RECORD. One holds the file; every other must be refused without naming a
//! process that does not have the lock. Prints `refusals N` at the end.

use std::error::Error;
use std::fs;
use std::io::{PipeReader, Read, Write, pipe};
use std::path::Path;
use std::process::exit;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, alarm, fork};
use pidfile::Options;

/// What a starter reports: the process that it names, or nothing if it holds the file itself.
const HOLDS: u32 = u32::MAX;

fn main() -> Result<(), Box<dyn Error>> {
    alarm::set(300);
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [path, record, rounds, count] = arguments.as_slice() else {
        Err("PATH RECORD ROUNDS COUNT")?
    };
    let (path, count) = (Path::new(path), count.parse()?);
    let mut refusals = 0;
    for round in 0..rounds.parse()? {
        refusals += one_round(path, record, count)?;
        println!("round {round}");
    }
    println!("refusals {refusals}");
    Ok(())
}

fn one_round(path: &Path, record: &str, count: usize) -> Result<usize, Box<dyn Error>> {
    let next = path.with_extension("next");
    fs::write(&next, format!("{record}\n"))?;
    fs::rename(&next, path)?;
    // The end of `gate` lets all of them start, and the end of `done` lets the holder end.
    let (gate, open_gate) = pipe()?;
    let (done, all_done) = pipe()?;
    let (mut answers, answer) = pipe()?;
    let mut starters = Vec::new();
    for _ in 0..count {
        let ends = (gate.try_clone()?, done.try_clone()?, answer.try_clone()?);
        if let Some(child) = start()? {
            starters.push(child);
        } else {
            drop((open_gate, all_done));
            be_starter(path, ends);
        }
    }
    drop((open_gate, answer));
    let mut holder = None;
    let mut named = Vec::new();
    for _ in 0..count {
        let mut bytes = [0; 8];
        answers.read_exact(&mut bytes)?;
        let [pid, name] = [0, 4]
            .map(|at| u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]));
        if name == HOLDS {
            if holder.replace(pid).is_some() {
                Err("two hold the file")?;
            }
        } else {
            named.push(name);
        }
    }
    drop(all_done);
    for starter in starters {
        match waitpid(starter, None)? {
            WaitStatus::Exited(_, 0) => {}
            other => Err(format!("{other:?}"))?,
        }
    }
    let holder = holder.ok_or("no one holds the file")?;
    if let Some(name) = named.iter().find(|&&name| name != 0 && name != holder) {
        Err(format!(
            "{name} is named, and {holder} holds the file over {record}"
        ))?;
    }
    Ok(named.len())
}

#[allow(unsafe_code, reason = "fork")]
fn start() -> Result<Option<Pid>, Box<dyn Error>> {
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

fn be_starter(
    path: &Path,
    (mut gate, mut done, mut answer): (PipeReader, PipeReader, std::io::PipeWriter),
) -> ! {
    let mut end = Vec::new();
    gate.read_to_end(&mut end).expect("read");
    let result = Options::new().path(path).acquire();
    let name = match &result {
        Ok(_) => HOLDS,
        Err(pidfile::Error::Locked { pid, .. }) => pid.unwrap_or_default(),
        Err(error) => panic!("{error:?}"),
    };
    let bytes = [std::process::id(), name].map(u32::to_ne_bytes).concat();
    answer.write_all(&bytes).expect("write");
    done.read_to_end(&mut end).expect("read");
    drop(result);
    exit(0);
}
