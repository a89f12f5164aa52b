//! What the steps so far have built up, and the steps that acquire and give back.

use std::path::PathBuf;
use std::process::exit;

use pidfile::{Options, PidFile, Reservation};

use crate::report;

/// The options that were set, and everything acquired or reserved with them.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) guards: Vec<PidFile>,
    pub(crate) reservations: Vec<Reservation>,
}

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, state: &mut State) -> bool {
    match name {
        "acquire" => state.keep(state.options.acquire(), |error| {
            exit(error.exit_code().into())
        }),
        "try" => state.keep(state.options.acquire(), |_| ()),
        "release" => report::release(state.newest().release()),
        "drop" => drop(state.newest()),
        "drop-first" => drop(state.guards.remove(0)),
        "forget" => std::mem::forget(state.newest()),
        "verify" => {
            let newest = state.guards.last().expect("there is a guard");
            println!("verify {:?}", newest.verify());
        }
        "cleanup" => pidfile::cleanup(),
        "status" => match state.options.status() {
            Ok(status) => println!("status {status:?}"),
            Err(error) => report::refusal(&error),
        },
        "resolve" => match state.options.resolved_path() {
            Ok(path) => println!("resolved {}", path.display()),
            Err(error) => report::refusal(&error),
        },
        _ => return false,
    }
    true
}

impl State {
    /// Reports on an attempt, and keeps the guard that came of it.
    pub(crate) fn keep(
        &mut self,
        attempt: pidfile::Result<PidFile>,
        refused: impl FnOnce(&pidfile::Error),
    ) {
        match attempt {
            Ok(guard) => {
                report::held(&guard);
                self.guards.push(guard);
            }
            Err(error) => {
                report::refusal(&error);
                refused(&error);
            }
        }
    }

    /// The path of the holder's file, for steps that need more files beside it.
    pub(crate) fn path(&self) -> PathBuf {
        self.options.resolved_path().expect("a path was set")
    }

    /// Takes the newest guard out.
    pub(crate) fn newest(&mut self) -> PidFile {
        self.guards.pop().expect("there is a guard")
    }
}
