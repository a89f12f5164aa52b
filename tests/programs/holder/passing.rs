//! Steps of a program that hands its file to its next version.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use pidfile::Reservation;

use crate::argument::number;
use crate::report;
use crate::state::State;

/// Whether `name` was a step of this file.
#[allow(
    clippy::zombie_processes,
    reason = "the spawned program outlives this one"
)]
pub(crate) fn take(name: &str, value: &OsStr, state: &mut State) -> bool {
    match name {
        "inherit" => match Reservation::inherited() {
            Ok(Some(reservation)) => {
                println!("inherited {}", reservation.path().display());
                state.reservations.push(reservation);
            }
            Ok(None) => println!("nothing inherited"),
            Err(error) => report::refusal(&error),
        },
        "exec-next" => {
            let mut next = next(value);
            pass(&mut next, state);
            panic!("{}", next.exec());
        }
        "exec-nothing" => {
            let mut next = Command::new("/nonexistent");
            pass(&mut next, state);
            let _fails = next.exec();
        }
        "spawn-next" => {
            let mut next = next(value);
            pass(&mut next, state);
            let child = next.spawn().expect("spawn");
            println!("spawned {}", child.id());
        }
        "spawn-other" => {
            let child = next(value).spawn().expect("spawn");
            println!("spawned {}", child.id());
        }
        "exit-and-leave" => {
            state.reservations.drain(..).for_each(std::mem::forget);
            exit(0);
        }
        "upgrades" => upgrade(number(value), state),
        _ => return false,
    }
    true
}

/// This program, with `STEP,STEP:VALUE` as its steps.
fn next(steps: &OsStr) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("/proc"));
    let steps = steps.to_str().expect("steps").split(',');
    command.args(steps.map(|step| step.replace(':', "=")));
    command
}

/// Passes on what is reserved, or else what is held.
fn pass(next: &mut Command, state: &mut State) {
    if state.reservations.is_empty() {
        let reservation = state.newest().hand_over();
        state.reservations.push(reservation);
    }
    let reservation = state.reservations.last().expect("one is reserved");
    if let Err(error) = reservation.pass_to(next) {
        report::refusal(&error);
    }
}

/// Becomes its own next version that often, by exec and by spawn in turn, and then holds the file.
fn upgrade(left: u32, state: &mut State) {
    if state.guards.is_empty() {
        let reserved = Reservation::inherited()
            .expect("it is ours")
            .expect("it was passed on");
        state.guards.push(reserved.adopt().expect("it is not lost"));
    }
    if left == 0 {
        report::held(state.guards.last().expect("it was adopted"));
        return;
    }
    if left.is_multiple_of(10) {
        println!("left {left}");
    }
    let mut next = next(format!("upgrades:{},wait", left - 1).as_ref());
    pass(&mut next, state);
    if left.is_multiple_of(2) {
        let error = next.exec();
        panic!("{error}");
    }
    next.spawn().expect("spawn");
    exit(0);
}
