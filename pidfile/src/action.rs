//! `Action`: what was being done when a system call failed, as a verb for the
//! message.

use std::fmt;

/// What was being done when a system call failed: the `action` of [`Error::Io`](crate::Error::Io).
///
/// Displayed as a verb: ``cannot {action} /run/app.pid``.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Make a path absolute.
    Resolve,
    /// Open a directory.
    OpenDirectory,
    /// Create a directory.
    MakeDirectory,
    /// Get a file's metadata.
    Inspect,
    /// Open an existing file.
    Open,
    /// Lock a file.
    Lock,
    /// Read the record.
    Read,
    /// Create the new file.
    Create,
    /// Write the record.
    Write,
    /// Set the permission bits.
    SetMode,
    /// Set the user and group.
    SetOwner,
    /// Give the new file its name.
    Publish,
    /// Remove the stale file that is in the way.
    Replace,
    /// Remove the held file at the end.
    Remove,
    /// Empty the held file at the end.
    Empty,
    /// Send a signal to the process that holds the file.
    Signal,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Resolve => "resolve the path",
            Action::OpenDirectory => "open the directory",
            Action::MakeDirectory => "create the directory",
            Action::Inspect => "inspect",
            Action::Open => "open",
            Action::Lock => "lock",
            Action::Read => "read",
            Action::Create => "create",
            Action::Write => "write",
            Action::SetMode => "set the mode of",
            Action::SetOwner => "set the owner of",
            Action::Publish => "publish",
            Action::Replace => "replace",
            Action::Remove => "remove",
            Action::Empty => "empty",
            Action::Signal => "signal the holder of",
        })
    }
}
