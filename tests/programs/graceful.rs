//! `graceful CRATE PATH ORDER`: a program that finishes its work after a signal, with the signal
//! handlers of another crate.
//!
//! It holds the file, installs the handlers of that crate (`before` it holds, or `after`; `without`
//! leaves signals to them), waits for one, and reports at each step whether the file still exists.
//! It ends by a return from `main`.

use std::error::Error;
use std::ffi::OsStr;
use std::io::stdin;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use nix::unistd::alarm;
use pidfile::Options;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// Blocks until a signal was handled.
type Told = Box<dyn FnOnce() -> Result<(), Box<dyn Error>>>;

fn main() -> Result<(), Box<dyn Error>> {
    alarm::set(300);
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [handlers, path, order] = arguments.as_slice() else {
        Err("CRATE PATH ORDER")?
    };
    let options = Options::new().path(path).signals(order != "without");
    let (_guard, told) = if order == "before" {
        let told = install(handlers)?;
        (options.acquire()?, told)
    } else {
        (options.acquire()?, install(handlers)?)
    };
    println!("ready");
    told()?;
    println!("told, {}", look(path.as_ref()));
    // The work to finish takes as long as the test wants.
    stdin().read_line(&mut String::new())?;
    println!("finished, {}", look(path.as_ref()));
    Ok(())
}

fn look(path: &Path) -> &'static str {
    if path.exists() { "there" } else { "gone" }
}

fn install(handlers: &OsStr) -> Result<Told, Box<dyn Error>> {
    match handlers.to_str() {
        Some("signal-hook") => signal_hook_thread(),
        Some("signal-hook-flag") => signal_hook_flag(),
        Some("signal-hook-emulate") => signal_hook_emulate(),
        Some("tokio") => tokio_future(),
        Some("ctrlc") => ctrlc_thread(false),
        Some("ctrlc-try") => ctrlc_thread(true),
        _ => Err("no such crate")?,
    }
}

/// An iterator over signals.
fn signal_hook_thread() -> Result<Told, Box<dyn Error>> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT])?;
    Ok(Box::new(move || {
        signals.forever().next().ok_or("no signal")?;
        Ok(())
    }))
}

/// A flag that the program polls.
fn signal_hook_flag() -> Result<Told, Box<dyn Error>> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(Box::new(move || {
        while !flag.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        Ok(())
    }))
}

/// No work to finish: the default action, as if there were no handler.
fn signal_hook_emulate() -> Result<Told, Box<dyn Error>> {
    let mut signals = signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT])?;
    Ok(Box::new(move || {
        let signal = signals.forever().next().ok_or("no signal")?;
        pidfile::cleanup();
        signal_hook::low_level::emulate_default_handler(signal)?;
        Err("the default action is to end")?
    }))
}

/// A future for each signal.
fn tokio_future() -> Result<Told, Box<dyn Error>> {
    use tokio::signal::unix::{SignalKind, signal};

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let [mut term, mut int, mut hup, mut quit] = {
        let _context = runtime.enter();
        [
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::quit())?,
        ]
    };
    Ok(Box::new(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
                _ = hup.recv() => {}
                _ = quit.recv() => {}
            }
        });
        Ok(())
    }))
}

/// INT, TERM and HUP, on a thread of the crate. Its careful form replaces no other handler.
fn ctrlc_thread(careful: bool) -> Result<Told, Box<dyn Error>> {
    let (sender, receiver) = channel();
    let handler = move || {
        // Ignored: at the end of the program the receiver is gone.
        let _ = sender.send(());
    };
    if careful {
        ctrlc::try_set_handler(handler)?;
    } else {
        ctrlc::set_handler(handler)?;
    }
    Ok(Box::new(move || Ok(receiver.recv()?)))
}
