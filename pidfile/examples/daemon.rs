//! A daemon that detaches: the terminal sees a refusal, the daemon holds the file.
//!
//! ```text
//! cargo run --example daemon      # returns at once; the daemon runs on
//! cargo run --example daemon      # says who holds it, exits with status 75
//! kill "$(cat FILE)"              # FILE is what the first one printed
//! ```
//!
//! With the crate `daemonize` the middle line reads
//! `daemonize::Daemonize::new().start()?;`. Its own `pid_file` is left unset:
//! that one is written without being looked at.

use std::io;
use std::process::ExitCode;
use std::thread;

use pidfile::Options;

fn main() -> ExitCode {
    // Before the process detaches, so that whoever started it sees the answer.
    let reserved = match Options::new().name("thermod-daemon").reserve() {
        Ok(reserved) => reserved,
        Err(error) => {
            eprintln!("daemon: {error:#}");
            return ExitCode::from(error.exit_code());
        }
    };
    println!("detaching; the pidfile is {}", reserved.path().display());

    // The process that returns from here is another one, and the one before has ended.
    if let Err(error) = detach() {
        eprintln!("daemon: cannot detach: {error}");
        return ExitCode::FAILURE;
    }

    // From here on the file names this process, and goes with it.
    // Nobody reads what we say any more; a real daemon tells its log.
    let Ok(_held) = reserved.adopt() else {
        return ExitCode::FAILURE;
    };
    loop {
        thread::park();
    }
}

#[cfg(not(target_vendor = "apple"))]
fn detach() -> io::Result<()> {
    nix::unistd::daemon(false, false)?;
    Ok(())
}

/// Apple wants daemons to be started by launchd, in the foreground.
#[cfg(target_vendor = "apple")]
fn detach() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
