//! `Action`: what was being done when the system refused, as a verb for the
//! message.

use std::fmt;

/// What was being done when the system refused: the `action` of [`Error::Io`](crate::Error::Io).
///
/// Displayed as a verb: ``cannot {action} /run/app.pid``.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Make a path absolute.
    Resolve,
    /// Open a directory.
    OpenDirectory,
    /// Make a directory.
    MakeDirectory,
    /// Ask for a file's properties.
    Inspect,
    /// Open the file that is there.
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
    /// Set user and group.
    SetOwner,
    /// Give the new file its name.
    Publish,
    /// Remove the stale file that is in the way.
    Replace,
    /// Remove our own file at the end.
    Remove,
    /// Empty our own file at the end.
    Empty,
    /// Send a signal to the process that holds the file.
    Signal,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Resolve => "make absolute the path",
            Action::OpenDirectory => "open the directory",
            Action::MakeDirectory => "make the directory",
            Action::Inspect => "look at",
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
