//! One of many processes that acquire and release the same file over and over, and check each time
//! that they are alone.
//!
//! `contender PATH WITNESS` goes on until it reads a line or is killed.
//! `contender PATH WITNESS COUNT LANES` keeps LANES such processes running; COUNT times it kills one
//! at a random moment and forks another.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::io::stdin;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::thread::sleep;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, alarm, fork};
use pidfile::{Options, PidFile};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [path, witness] => {
            alarm::set(300);
            println!("ready");
            let rounds = contend(path.as_ref(), witness.as_ref(), || !is_told())?;
            println!("rounds {rounds}");
            Ok(())
        }
        [path, witness, count, lanes] => storm(
            path.as_ref(),
            witness.as_ref(),
            number(count),
            number(lanes),
        ),
        _ => Err("PATH WITNESS [COUNT LANES]")?,
    }
}

fn number(argument: &OsStr) -> usize {
    argument
        .to_str()
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

/// Whether there is a line on the standard input, or its end.
fn is_told() -> bool {
    let input = stdin();
    let mut ask = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    poll(&mut ask, PollTimeout::ZERO).is_ok_and(|answers| answers > 0)
}

/// Acquires and releases as long as `go_on` says so; returns how often it held the file.
fn contend(path: &Path, witness: &Path, go_on: impl Fn() -> bool) -> Result<u64, Box<dyn Error>> {
    let options = Options::new().path(path);
    let mut witness = Witness::open(witness)?;
    let mut rounds = 0;
    while go_on() {
        match options.acquire() {
            Ok(guard) => {
                witness.watch(&guard)?;
                guard.release()?;
                rounds += 1;
            }
            Err(pidfile::Error::Locked { .. }) => {}
            Err(error) => Err(format!("only Locked may be reported, not {error:?}"))?,
        }
    }
    Ok(rounds)
}

/// Another file, with a lock that the library does not know and a number that every holder counts
/// up.
struct Witness {
    /// `None` while it is locked.
    file: Option<File>,
}

impl Witness {
    fn open(path: &Path) -> Result<Witness, Box<dyn Error>> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        Ok(Witness { file: Some(file) })
    }

    /// Checks what must be true of the process that holds the pidfile.
    fn watch(&mut self, guard: &PidFile) -> Result<(), Box<dyn Error>> {
        let file = self.file.take().ok_or("the witness is lost")?;
        let lock = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => lock,
            // Perhaps a killed process that has already lost the pidfile, but not yet this lock: it
            // will never count again. A living one will.
            Err((file, Errno::EWOULDBLOCK)) => {
                let before = read(&file)?;
                let lock =
                    Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
                if read(&lock)? != before {
                    Err("two were inside")?;
                }
                lock
            }
            Err((_, errno)) => Err(errno)?,
        };
        count(&lock)?;
        let record = fs::read_to_string(guard.path())?;
        if record != format!("{}\n", std::process::id()) {
            Err(format!(
                "{} is inside, and the file says {record:?}",
                std::process::id()
            ))?;
        }
        count(&lock)?;
        self.file = Some(lock.unlock().map_err(|(_, errno)| errno)?);
        Ok(())
    }
}

fn read(file: &File) -> Result<u64, Box<dyn Error>> {
    let mut bytes = [0; 8];
    match file.read_at(&mut bytes, 0)? {
        0 | 8 => Ok(u64::from_ne_bytes(bytes)),
        _ => Err("half a number")?,
    }
}

fn count(file: &File) -> Result<(), Box<dyn Error>> {
    Ok(file.write_all_at(&(read(file)? + 1).to_ne_bytes(), 0)?)
}

/// Forks and kills. Forks are cheaper than programs, and there are many of them.
fn storm(path: &Path, witness: &Path, count: usize, lanes: usize) -> Result<(), Box<dyn Error>> {
    let mut contenders: Vec<Pid> = (0..lanes).map(|_| start(path, witness)).collect();
    for round in 0..count {
        let lane = random(lanes);
        let signal = if random(2) == 0 {
            Signal::SIGKILL
        } else {
            Signal::SIGTERM
        };
        // This waits for nothing: the moment of the kill is random.
        sleep(Duration::from_micros(random(800) as u64));
        end(contenders[lane], signal)?;
        contenders[lane] = start(path, witness);
        // One line for a few rounds: the test waits for the next line, however slow the machine.
        if round % 10 == 0 {
            println!("round {round}");
        }
    }
    for contender in contenders {
        end(contender, Signal::SIGTERM)?;
    }
    println!("done");
    Ok(())
}

#[allow(unsafe_code, reason = "fork")]
fn start(path: &Path, witness: &Path) -> Pid {
    let (path, witness) = (PathBuf::from(path), PathBuf::from(witness));
    // SAFETY: this process has one thread, so the child may do anything.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            alarm::set(300);
            let result = contend(&path, &witness, || true);
            eprintln!("{}: {result:?}", std::process::id());
            exit(99);
        }
    }
}

/// Kills a contender and makes sure that it died of nothing else.
fn end(contender: Pid, signal: Signal) -> Result<(), Box<dyn Error>> {
    kill(contender, signal)?;
    match waitpid(contender, None)? {
        WaitStatus::Signaled(_, seen, _) if seen == signal => Ok(()),
        other => Err(format!("{other:?} after {signal}"))?,
    }
}

/// A random number below `bound`.
fn random(bound: usize) -> usize {
    let number = RandomState::new().build_hasher().finish();
    usize::try_from(number % bound as u64).unwrap_or_default()
}
