//! The `Debug` form of an error: one line, because Rust prints this form when
//! `main` returns an `Err`. The alternate form shows the fields.

use std::fmt::{self, Formatter};

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
    match error {
        Error::Locked {
            pid,
            program,
            user,
            suspended,
            misnamed,
            own,
            waited,
            ..
        } => fields
            .field("pid", pid)
            .field("program", program)
            .field("user", user)
            .field("suspended", suspended)
            .field("misnamed", misnamed)
            .field("own", own)
            .field("waited", waited),
        Error::Running {
            pid,
            program,
            user,
            suspended,
            waited,
            ..
        } => fields
            .field("pid", pid)
            .field("program", program)
            .field("user", user)
            .field("suspended", suspended)
            .field("waited", waited),
        Error::StillRunning {
            pid,
            program,
            user,
            suspended,
            ended,
            waited,
            ..
        } => fields
            .field("pid", pid)
            .field("program", program)
            .field("user", user)
            .field("suspended", suspended)
            .field("ended", ended)
            .field("waited", waited),
        Error::UnknownHolder {
            pid,
            program,
            user,
            suspended,
            recorded,
            ..
        } => fields
            .field("pid", pid)
            .field("program", program)
            .field("user", user)
            .field("suspended", suspended)
            .field("recorded", recorded),
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
