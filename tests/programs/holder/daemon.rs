//! Steps of a program that reserves in the terminal and adopts in the background.

use std::ffi::OsStr;
use std::process::exit;

use daemonize::{Daemonize, Stdio};
use nix::unistd::{ForkResult, fork};
use pidfile::Reservation;

use crate::state::State;
use crate::{ends, report, surroundings};

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr, state: &mut State) -> bool {
    match name {
        "reserve" => match state.options.reserve() {
            Ok(reservation) => {
                println!("reserved {}", reservation.path().display());
                state.reservations.push(reservation);
            }
            Err(error) => {
                report::refusal(&error);
                exit(error.exit_code().into());
            }
        },
        "adopt" => {
            let adopted = newest(state).adopt();
            state.keep(adopted, |_| ());
        }
        "hand-over" => {
            let reservation = state.newest().hand_over();
            state.reservations.push(reservation);
        }
        "drop-reservation" => drop(newest(state)),
        "detach" => {
            detach(value, state);
            // A forked child does not inherit the alarm.
            surroundings::end_with_the_test();
        }
        _ => return false,
    }
    true
}

fn newest(state: &mut State) -> Reservation {
    state.reservations.pop().expect("something is reserved")
}

/// Goes on in a process that the terminal does not wait for, with the same outputs.
fn detach(how: &OsStr, state: &mut State) {
    match how.to_str() {
        // Leaves by `_exit`, and keeps the standard input too.
        #[cfg(not(target_vendor = "apple"))] // nix has none there
        Some("nix") => nix::unistd::daemon(false, true).expect("daemon"),
        // Leaves by `exit`, twice, and closes the standard input.
        Some("daemonize") => {
            let streams = Daemonize::new().stdout(Stdio::keep()).stderr(Stdio::keep());
            streams.start().expect("daemonize");
        }
        #[cfg(target_vendor = "apple")]
        Some("nix") if is_parent() => ends::leave(0),
        #[cfg(target_vendor = "apple")]
        Some("nix") => {}
        Some("fork") => {
            if is_parent() {
                ends::leave(0);
            }
        }
        Some("fork-and-forget") => {
            if is_parent() {
                state.reservations.drain(..).for_each(std::mem::forget);
                exit(0);
            }
        }
        _ => panic!("{} is not a way to detach", how.display()),
    }
}

#[allow(unsafe_code, reason = "fork")]
fn is_parent() -> bool {
    // SAFETY: this process has one thread, so the child may do anything.
    matches!(unsafe { fork() }.expect("fork"), ForkResult::Parent { .. })
}
