//! The messages of those errors that a single format string cannot express.

use std::fmt::{self, Formatter};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::action::Action;
use crate::process::Portrait;

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    clippy::too_many_arguments,
    clippy::fn_params_excessive_bools,
    reason = "thiserror passes every field by reference, in order"
)]
pub(crate) fn locked(
    path: &Path,
    pid: &Option<u32>,
    program: &Option<String>,
    user: &Option<String>,
    suspended: &bool,
    misnamed: &bool,
    own: &bool,
    waited: &Option<Duration>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    held_by(f, path, *waited)?;
    if *own {
        let already = if waited.is_none() { " already" } else { "" };
        write!(
            f,
            "this process{already}; release it first, or set `allow_same_process`"
        )
    } else if let Some(pid) = pid {
        process(f, *pid, program.as_deref(), user.as_deref(), *suspended)?;
        if *misnamed {
            f.write_str(", although the file does not name it")?;
        }
        f.write_str("; stop it, or use another path")
    } else {
        write!(
            f,
            "a process that cannot be identified; run `fuser {}` as root to find it",
            path.display()
        )
    }
}

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "thiserror passes every field by reference, in order"
)]
pub(crate) fn running(
    path: &Path,
    pid: &u32,
    program: &Option<String>,
    user: &Option<String>,
    suspended: &bool,
    waited: &Option<Duration>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    write!(f, "{} names ", path.display())?;
    process(f, *pid, program.as_deref(), user.as_deref(), *suspended)?;
    match waited {
        Some(waited) => write!(f, ", which is still running after {waited:?}")?,
        None => f.write_str(", which is running")?,
    }
    f.write_str("; stop it, or remove the file if that is another program")
}

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "thiserror passes every field by reference, in order"
)]
pub(crate) fn io(
    action: &Action,
    path: &Path,
    source: &io::Error,
    advice: &Option<String>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    write!(f, "cannot {action} {}", path.display())?;
    if f.alternate() {
        write!(f, ": {source}")?;
    }
    match advice {
        Some(advice) => write!(f, "; {advice}"),
        None => Ok(()),
    }
}

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    clippy::too_many_arguments,
    reason = "thiserror passes every field by reference, in order"
)]
pub(crate) fn still_running(
    path: &Path,
    pid: &u32,
    program: &Option<String>,
    user: &Option<String>,
    suspended: &bool,
    ended: &Option<u32>,
    waited: &Duration,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    held_by(f, path, Some(*waited))?;
    process(f, *pid, program.as_deref(), user.as_deref(), *suspended)?;
    if let Some(ended) = ended {
        write!(
            f,
            ", which inherited the lock from process {ended}; process {ended} has ended, so stop this one too"
        )
    } else {
        f.write_str("; wait longer, or end it with SIGKILL")
    }
}

#[allow(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "thiserror passes every field by reference, in order"
)]
pub(crate) fn unknown_holder(
    path: &Path,
    pid: &Option<u32>,
    program: &Option<String>,
    user: &Option<String>,
    suspended: &bool,
    recorded: &Option<u32>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    held_by(f, path, None)?;
    match pid {
        Some(pid) => process(f, *pid, program.as_deref(), user.as_deref(), *suspended)?,
        None => f.write_str("a process that cannot be identified")?,
    }
    match recorded {
        Some(recorded) => write!(f, ", but the file names process {recorded}")?,
        None => f.write_str(", but the file names no process")?,
    }
    f.write_str("; no process was signalled; ")?;
    match pid {
        Some(pid) => write!(f, "if process {pid} is the right one, stop it by hand"),
        None => write!(
            f,
            "run `fuser {}` as root to find the holder",
            path.display()
        ),
    }
}

/// A process, in the form that every message uses.
#[derive(Debug)]
pub(crate) struct Described<'a>(pub(crate) u32, pub(crate) &'a Portrait);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Described(
            pid,
            Portrait {
                program,
                user,
                suspended,
            },
        ) = self;
        process(f, *pid, program.as_deref(), user.as_deref(), *suspended)
    }
}

/// The beginning of a sentence about a held file; the name of the holder follows.
fn held_by(f: &mut Formatter<'_>, path: &Path, waited: Option<Duration>) -> fmt::Result {
    let path = path.display();
    match waited {
        Some(waited) => write!(f, "{path} is still held after {waited:?} by "),
        None => write!(f, "{path} is held by "),
    }
}

fn process(
    f: &mut Formatter<'_>,
    pid: u32,
    program: Option<&str>,
    user: Option<&str>,
    suspended: bool,
) -> fmt::Result {
    write!(f, "process {pid}")?;
    if let Some(program) = program {
        write!(f, " ({program})")?;
    }
    if let Some(user) = user {
        write!(f, " of user {user}")?;
    }
    if suspended {
        f.write_str(", which is suspended")?;
    }
    Ok(())
}
