//! Replace: end the process that holds the file and take its place.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::notice::Waiting;
use crate::options::Options;

impl Options {
    /// Sets whether a start stops the process that holds the file and takes its place, as the
    /// option `--replace` of a window manager does. The holder gets SIGTERM and has that much time
    /// to end. If it does not, the start fails with [`StillRunning`](crate::Error::StillRunning).
    ///
    /// Only a process that is known to hold the file is signalled; if it is not known, the start
    /// fails with [`UnknownHolder`](crate::Error::UnknownHolder). See [`Holder`](crate::Holder) for
    /// what each system can know. Of several starts that replace at once, the last one stands.
    ///
    /// It cannot be combined with [`wait`](Options::wait) or `lock(false)`. Zero is
    /// [`Config`](crate::Error::Config), because it would end the holder without leaving time to
    /// take its place.
    ///
    /// Default: the holder is left alone.
    pub fn replace(mut self, patience: Duration) -> Options {
        self.replace = Some(patience);
        self
    }
}

/// The result of an attempt to end the holder.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// It has ended.
    Stopped,
    /// It was already gone.
    Gone,
    /// It cannot be ended at the moment, for this reason.
    Refused(Error),
}

/// Ends the holder that prevented a start, within the time that is `left` of the caller's patience.
///
/// # Errors
///
/// Another attempt would not help: the holder is this process, does not lock its file, belongs to
/// another user or has not ended in time.
pub(crate) fn stop(options: &Options, refusal: Error, left: Duration) -> Result<Attempt> {
    if !matches!(refusal, Error::Locked { own: false, .. }) {
        return Err(refusal);
    }
    match options.holder() {
        // The time is up, so a holder that appears now is left alone.
        Ok(Some(_)) if left.is_zero() => Ok(Attempt::Refused(refusal)),
        Ok(Some(holder)) => {
            // A notice and an error quote the patience that the caller chose.
            let patience = options.replace.unwrap_or(left);
            if let Some(notice) = &options.on_wait {
                notice.call(&Waiting::stopping(holder.path(), holder.pid(), patience));
            }
            match holder.stop(left) {
                Ok(()) => Ok(Attempt::Stopped),
                Err(error) => Err(error.after(Some(patience))),
            }
        }
        Ok(None) => Ok(Attempt::Gone),
        // It may be another starter that is only judging the file, or about to write its record.
        Err(error @ Error::UnknownHolder { .. }) => Ok(Attempt::Refused(error)),
        Err(error) => Err(error),
    }
}

/// Whether another attempt may succeed after one that was refused.
pub(crate) fn is_promising(options: &Options) -> bool {
    !matches!(options.holder(), Err(Error::UnknownHolder { .. }))
}
