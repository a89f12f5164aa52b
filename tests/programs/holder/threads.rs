//! Steps that need more than one thread, or that go on until the program ends.

use std::ffi::{OsStr, OsString};
#[cfg(target_os = "linux")]
use std::fs;
#[cfg(target_os = "linux")]
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::sync::Barrier;
#[cfg(target_os = "linux")]
use std::sync::OnceLock;
use std::thread;

#[cfg(target_os = "linux")]
use nix::fcntl::OFlag;
#[cfg(target_os = "linux")]
use nix::unistd::{dup2_raw, pipe2, read, write};
use pidfile::Options;

use crate::argument::number;
use crate::state::State;
use crate::surroundings;

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr, state: &mut State) -> bool {
    match name {
        "workers" => workers(number(value), |worker| beside(state, worker)),
        "rivals" => workers(number(value), |_| state.path().into()),
        "spawners" => spawners(number(value)),
        "churn" => churn(state),
        "rounds" => rounds(number(value), state),
        "probe" => probe(state),
        "drop-on-a-thread" => {
            let guard = state.newest();
            thread::spawn(move || drop(guard))
                .join()
                .expect("the drop does not panic");
        }
        "drop-when-told" => {
            let guard = state.newest();
            thread::spawn(move || {
                surroundings::wait_for_a_line();
                drop(guard);
            });
        }
        #[cfg(target_os = "linux")]
        "lose-watch" => {
            let with_pipe = value == "pipe";
            thread::spawn(move || lose_watch(with_pipe));
        }
        #[cfg(target_os = "linux")]
        "read-pipe" => read_pipe(),
        "park" => park(),
        _ => return false,
    }
    true
}

/// Starts threads that acquire and release a file each until the program ends, and returns once
/// every thread has released its file for the first time.
fn workers(count: usize, path: impl Fn(usize) -> OsString) {
    let begun: &Barrier = Box::leak(Box::new(Barrier::new(count + 1)));
    for worker in 0..count {
        let options = Options::new().path(path(worker));
        thread::spawn(move || {
            work(&options);
            begun.wait();
            loop {
                work(&options);
            }
        });
    }
    begun.wait();
}

/// The file of one worker, in the directory of the holder's file.
fn beside(state: &State, worker: usize) -> OsString {
    let mut path = state.path().into_os_string();
    path.push(format!(".{worker}"));
    path
}

fn work(options: &Options) {
    match options.acquire() {
        Ok(guard) => drop(guard),
        // Another thread of this process, or another process.
        Err(error) if error.is_running() => {}
        // Ends as a program would, with a status that no test of an end expects. While the process
        // ends on another thread, no worker may get here: it would hide that end.
        Err(error) => {
            eprintln!("worker: {error:?}");
            exit(99);
        }
    }
}

/// Acquires and releases on the main thread until the process is ended.
fn churn(state: &State) {
    let options = Options::new().path(state.path());
    work(&options);
    println!("ready");
    loop {
        work(&options);
    }
}

/// Acquires and releases that often, and is never refused.
fn rounds(count: usize, state: &State) {
    let options = Options::new().path(state.path());
    for round in 0..count {
        let guard = options
            .acquire()
            .unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        guard
            .release()
            .unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        // The test waits for the next line, however slow the machine.
        if round % 100 == 0 {
            println!("round {round}");
        }
    }
    println!("done");
}

/// Starts threads that spawn programs until the end, and returns once each has spawned one.
/// Between a fork and an exec there is a copy of every descriptor, and of every lock.
#[allow(unsafe_code, reason = "pre_exec, to make std fork")]
fn spawners(count: usize) {
    let begun: &Barrier = Box::leak(Box::new(Barrier::new(count + 1)));
    let spawn = |shares_memory: bool| {
        let mut command = Command::new("true");
        if !shares_memory {
            // Otherwise std shares our memory with the child until it has become the program,
            // which is quicker.
            // SAFETY: the closure does nothing.
            unsafe { command.pre_exec(|| Ok(())) };
        }
        assert!(command.status().expect("spawn").success());
    };
    for spawner in 0..count {
        thread::spawn(move || {
            spawn(spawner % 2 == 0);
            begun.wait();
            loop {
                spawn(spawner % 2 == 0);
            }
        });
    }
    begun.wait();
}

/// Asks for the status until the program ends.
fn probe(state: &State) {
    let options = Options::new().path(state.path());
    println!("probing");
    loop {
        if let Err(error) = options.status() {
            panic!("a probe failed: {error:?}");
        }
    }
}

/// Sleeps until the process ends.
pub(crate) fn park() -> ! {
    loop {
        thread::park();
    }
}

/// Ends the main thread, and the process once the rest is done on another thread.
pub(crate) fn end_this_one_after(rest: impl FnOnce() + Send + 'static) -> ! {
    thread::spawn(move || {
        rest();
        exit(0);
    });
    end_thread()
}

/// Without unwinding: there may be a panic handler of the runtime above this frame.
#[allow(unsafe_code, reason = "syscall")]
fn end_thread() -> ! {
    use nix::libc;

    // SAFETY: the system call ends this thread and touches no memory; what is on its stack is
    // never freed.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
    park()
}

/// A pipe that got the number of a descriptor that was closed behind the library's back.
#[cfg(target_os = "linux")]
static PIPE: OnceLock<(OwnedFd, OwnedFd)> = OnceLock::new();

/// Closes the descriptor that a waiter sleeps on, and may open a pipe in its place.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "dup2")]
fn lose_watch(with_pipe: bool) {
    let number = loop {
        let descriptors = fs::read_dir("/proc/self/fd").expect("/proc").flatten();
        let watch = descriptors.filter(|entry| {
            fs::read_link(entry.path()).is_ok_and(|link| link.as_os_str() == "anon_inode:inotify")
        });
        if let Some(entry) = watch.last() {
            break number::<RawFd>(&entry.file_name());
        }
        thread::yield_now();
    };
    if with_pipe {
        let (from, to) = pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC).expect("a pipe");
        write(&to, b"of the program").expect("a pipe has room");
        // In one step: the waiter opens and closes files, and might get the number in between.
        // SAFETY: the waiter has the number too, and is to find out that it is not its own any more.
        let from = unsafe { dup2_raw(from, number) }.expect("it is open");
        PIPE.set((from, to)).expect("it is lost once");
    } else {
        nix::unistd::close(number).expect("it is open");
    }
    println!("watch lost");
}

/// Reports what is in the pipe.
#[cfg(target_os = "linux")]
fn read_pipe() {
    let mut bytes = [0; 64];
    let (from, _) = PIPE.get().expect("there is a pipe");
    match read(from, &mut bytes) {
        Ok(length) => println!("read {}", String::from_utf8_lossy(&bytes[..length])),
        Err(errno) => println!("read {errno}"),
    }
}
