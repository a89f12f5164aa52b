//! Steps of a program that reserves in the terminal and adopts in the
//! background.

use std::ffi::OsStr;
use std::process::exit;

use daemonize::{Daemonize, Stdio};
use nix::unistd::{ForkResult, fork};
use pidfile::Reservation;

use crate::{Holder, fault, report_refusal, surroundings};

/// Whether `name` was a step of this file.
pub(crate) fn obey(name: &str, value: &OsStr, holder: &mut Holder) -> bool {
    match name {
        "reserve" => match holder.options.reserve() {
            Ok(reservation) => {
                println!("reserved {}", reservation.path().display());
                holder.reservations.push(reservation);
            }
            Err(error) => {
                report_refusal(&error);
                exit(error.exit_code().into());
            }
        },
        "adopt" => {
            let adopted = newest(holder).adopt();
            holder.keep(adopted, |_| ());
        }
        "hand-over" => {
            let reservation = holder.newest().hand_over();
            holder.reservations.push(reservation);
        }
        "drop-reservation" => drop(newest(holder)),
        "detach" => {
            detach(value, holder);
            // A fork takes no alarm along.
            surroundings::end_with_the_test();
        }
        _ => return false,
    }
    true
}

fn newest(holder: &mut Holder) -> Reservation {
    holder.reservations.pop().expect("something is reserved")
}

/// Goes on in a process that the terminal does not wait for; the outputs stay as they are.
fn detach(how: &OsStr, holder: &mut Holder) {
    match how.to_str() {
        // Leaves by `_exit`, and keeps the standard input too.
        #[cfg(not(target_vendor = "apple"))] // There nix has none.
        Some("nix") => nix::unistd::daemon(false, true).expect("daemon"),
        // Leaves by `exit`, twice, and has nothing to read any more.
        Some("daemonize") => {
            let streams = Daemonize::new().stdout(Stdio::keep()).stderr(Stdio::keep());
            streams.start().expect("daemonize");
        }
        #[cfg(target_vendor = "apple")]
        Some("nix") if is_parent() => fault::leave(0),
        #[cfg(target_vendor = "apple")]
        Some("nix") => {}
        Some("fork") => {
            if is_parent() {
                fault::leave(0);
            }
        }
        Some("fork-and-forget") => {
            if is_parent() {
                holder.reservations.drain(..).for_each(std::mem::forget);
                exit(0);
            }
        }
        _ => panic!("there is no such way to detach"),
    }
}

#[allow(unsafe_code, reason = "fork")]
fn is_parent() -> bool {
    // SAFETY: this process has one thread, so the child may go on as if nothing had happened.
    matches!(unsafe { fork() }.expect("fork"), ForkResult::Parent { .. })
}
