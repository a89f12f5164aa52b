//! Steps of a program that deals with the holder of a file from outside.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::time::Duration;

use pidfile::{Holder, Signal};

use crate::argument::number;
use crate::report;
use crate::state::State;

thread_local! {
    /// The holder that was found last. Steps are taken on one thread.
    static FOUND: RefCell<Option<Holder>> = const { RefCell::new(None) };
    /// The number of the last one there was.
    static NUMBER: Cell<u32> = const { Cell::new(0) };
}

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr, state: &State) -> bool {
    match name {
        "holder" => {
            let found = state.options.holder();
            match &found {
                Ok(Some(holder)) => println!(
                    "holder {} {} {} {}",
                    holder.pid(),
                    holder.program().unwrap_or("-"),
                    holder.uid().map_or("-".into(), |uid| uid.to_string()),
                    if holder.is_suspended() {
                        "suspended"
                    } else {
                        "awake"
                    },
                ),
                Ok(None) => println!("nobody"),
                Err(error) => report::refusal(error),
            }
            if let Some(holder) = found.ok().flatten() {
                NUMBER.set(holder.pid());
                FOUND.set(Some(holder));
            }
        }
        "signal" => with_found(|holder| {
            let signal: Signal = number(value);
            holder.signal(signal).map(|()| "signalled")
        }),
        "stop" => with_found(|holder| holder.stop(milliseconds(value)).map(|()| "stopped")),
        "kill" => with_found(|holder| holder.kill(milliseconds(value)).map(|()| "killed")),
        "await-end" => with_found(|holder| {
            let ended = holder.wait(Some(milliseconds(value)))?;
            Ok(if ended { "ended" } else { "there" })
        }),
        "work-alone" => work_alone(value),
        "hold-by-fcntl" => hold_by_fcntl(state),
        "let-go-by-fcntl" => {
            // Closing any descriptor of the file gives up the locks of the whole process.
            drop(std::fs::File::open(state.path()).expect("open"));
            println!("unlocked");
        }
        #[cfg(target_os = "linux")]
        "reuse-number" => {
            let number = found_number() - 1;
            std::fs::write("/proc/sys/kernel/ns_last_pid", number.to_string())
                .expect("in a pid namespace of its own, root may choose the next number");
        }
        #[cfg(target_os = "linux")]
        "has-number" => {
            let path = format!("/proc/{}/stat", found_number());
            let stat = std::fs::read_to_string(path).unwrap_or_default();
            let runs = !stat.is_empty() && !stat.contains(") Z ");
            println!("its number is {}", if runs { "taken" } else { "free" });
        }
        _ => return false,
    }
    true
}

/// Makes and removes a file, again and again. A signal comes between two rounds, so the file is there
/// only while this program is at work.
fn work_alone(path: &OsStr) -> ! {
    use nix::sys::signal::SigSet;

    println!("working");
    loop {
        SigSet::all().thread_block().expect("the mask can be set");
        if let Err(error) = std::fs::File::create_new(path) {
            println!("intruder");
            panic!("another process is at work: {error}");
        }
        std::fs::remove_file(path).expect("it is ours");
        SigSet::all().thread_unblock().expect("the mask can be set");
    }
}

/// Locks as many C daemons do, and writes a record.
fn hold_by_fcntl(state: &State) {
    use std::io::Write;

    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    let mut file = std::fs::File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .open(state.path())
        .expect("open");
    #[allow(clippy::cast_possible_truncation, reason = "the constants are small")]
    let whole = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_SETLK(&whole)).expect("no other process has it locked");
    writeln!(file, "{}", std::process::id()).expect("write");
    println!("locked");
    // The lock goes with the first descriptor of the file that is closed.
    std::mem::forget(file);
}

#[cfg(target_os = "linux")]
fn found_number() -> u32 {
    NUMBER.get()
}

fn with_found(action: impl FnOnce(&Holder) -> pidfile::Result<&'static str>) {
    FOUND.with_borrow(|found| {
        let holder = found.as_ref().expect("a holder was found");
        match action(holder) {
            Ok(word) => println!("{word}"),
            Err(error) => report::refusal(&error),
        }
    });
}

fn milliseconds(value: &OsStr) -> Duration {
    Duration::from_millis(number(value))
}
