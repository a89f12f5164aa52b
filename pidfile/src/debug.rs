//! The `Debug` form of an error: one line, because Rust prints this form when
//! `main` returns an `Err`. The alternate form shows the fields.

use std::fmt::{self, DebugStruct, Formatter};

use crate::error::Error;

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            fields(self, f)
        } else {
            write!(f, "{}: {self:#}", variant(self))
        }
    }
}

/// The fields of an error, for `{:#?}`.
fn fields(error: &Error, f: &mut Formatter<'_>) -> fmt::Result {
    let mut fields = f.debug_struct(variant(error));
    if let Some(path) = error.path() {
        fields.field("path", &path);
    }
    portrait(error, &mut fields);
    match error {
        Error::Locked {
            misnamed,
            own,
            waited,
            ..
        } => fields
            .field("misnamed", misnamed)
            .field("own", own)
            .field("waited", waited),
        Error::Running { waited, .. } => fields.field("waited", waited),
        Error::StillRunning { ended, waited, .. } => {
            fields.field("ended", ended).field("waited", waited)
        }
        Error::UnknownHolder { recorded, .. } => fields.field("recorded", recorded),
        Error::NotPidfile { why, .. } | Error::Insecure { why, .. } | Error::Config { why } => {
            fields.field("why", why)
        }
        Error::Io {
            action,
            source,
            advice,
            ..
        } => fields
            .field("action", action)
            .field("source", source)
            .field("advice", advice),
        Error::Unsupported { .. } | Error::Contended { .. } | Error::Lost { .. } => &mut fields,
    }
    .finish()
}

/// What an error says about the process in the way.
fn portrait(error: &Error, fields: &mut DebugStruct<'_, '_>) {
    let (pid, program, user, suspended): (&dyn fmt::Debug, _, _, _) = match error {
        Error::Locked {
            pid,
            program,
            user,
            suspended,
            ..
        }
        | Error::UnknownHolder {
            pid,
            program,
            user,
            suspended,
            ..
        } => (pid, program, user, suspended),
        Error::Running {
            pid,
            program,
            user,
            suspended,
            ..
        }
        | Error::StillRunning {
            pid,
            program,
            user,
            suspended,
            ..
        } => (pid, program, user, suspended),
        _ => return,
    };
    fields
        .field("pid", pid)
        .field("program", program)
        .field("user", user)
        .field("suspended", suspended);
}

/// The name of an error's variant.
fn variant(error: &Error) -> &'static str {
    match error {
        Error::Locked { .. } => "Locked",
        Error::Running { .. } => "Running",
        Error::NotPidfile { .. } => "NotPidfile",
        Error::Insecure { .. } => "Insecure",
        Error::Config { .. } => "Config",
        Error::Unsupported { .. } => "Unsupported",
        Error::Contended { .. } => "Contended",
        Error::Lost { .. } => "Lost",
        Error::StillRunning { .. } => "StillRunning",
        Error::UnknownHolder { .. } => "UnknownHolder",
        Error::Io { .. } => "Io",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    /// The names of the fields in the alternate form, in order.
    fn names(error: &Error) -> Vec<String> {
        format!("{error:#?}")
            .lines()
            .filter_map(|line| line.strip_prefix("    ")?.split_once(": "))
            .filter(|(name, _)| !name.starts_with(' '))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `getpwuid_r`")]
    fn the_alternate_form_has_all_fields_of_an_error_about_a_process() {
        let path = Path::new("/run/thermod.pid");
        let portrait = ["path", "pid", "program", "user", "suspended"];
        for (error, others) in [
            (
                Error::locked(path, None),
                &["misnamed", "own", "waited"] as &[_],
            ),
            (Error::running(path, 1), &["waited"]),
            (
                Error::still_running(path, 1, None, Duration::ZERO),
                &["ended", "waited"],
            ),
            (Error::unknown_holder(path, None, Some(1)), &["recorded"]),
        ] {
            assert_eq!(names(&error), [&portrait, others].concat(), "{error:#?}");
        }
    }
}
