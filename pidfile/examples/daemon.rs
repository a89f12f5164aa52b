//! A daemon that detaches: a refusal still reaches the terminal, and the daemon
//! holds the file.
//!
//! ```text
//! cargo run --example daemon      # returns at once; the daemon runs on
//! cargo run --example daemon      # reports which process holds it; exits with status 75
//! kill "$(cat FILE)"              # FILE is the path that the first one printed
//! ```
//!
//! With the crate `daemonize`, call `daemonize::Daemonize::new().start()?;`
//! instead of `detach()`. Leave its own `pid_file` unset, so that there is one
//! pidfile only.

use std::io;
use std::process::ExitCode;
use std::thread;

use pidfile::Options;

fn main() -> ExitCode {
    // Before the process detaches, so that a refusal reaches the terminal.
    let reserved = match Options::new().name("thermod-daemon").reserve() {
        Ok(reserved) => reserved,
        Err(error) => {
            eprintln!("daemon: {error:#}");
            return ExitCode::from(error.exit_code());
        }
    };
    println!("detaching; the pidfile is {}", reserved.path().display());

    // The process that returns from here is a new one; the old one has ended.
    if let Err(error) = detach() {
        eprintln!("daemon: cannot detach: {error}");
        return ExitCode::FAILURE;
    }

    // From here on the file names this process, and is removed when it ends. There is no terminal
    // any more; a real daemon would write a failure to its log.
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
