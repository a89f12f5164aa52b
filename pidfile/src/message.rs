//! The words of those errors whose message is more than one pattern.

use std::fmt::{self, Formatter};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::action::Action;

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
    own: &bool,
    waited: &Option<Duration>,
    f: &mut Formatter<'_>,
) -> fmt::Result {
    write!(f, "{} is held by ", path.display())?;
    if *own {
        f.write_str("this process already; release it first, or use `allow_same_process`")?;
    } else if let Some(pid) = pid {
        process(f, *pid, program.as_deref(), user.as_deref(), *suspended)?;
        f.write_str("; stop it, or use another path")?;
    } else {
        write!(
            f,
            "a process that cannot be identified; as root, `fuser {}` finds it",
            path.display()
        )?;
    }
    after(f, *waited)
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
    f.write_str(", which is running; stop it, or remove the file if it is another program")?;
    after(f, *waited)
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

fn after(f: &mut Formatter<'_>, waited: Option<Duration>) -> fmt::Result {
    match waited {
        Some(waited) => write!(f, " (waited {waited:?})"),
        None => Ok(()),
    }
}
