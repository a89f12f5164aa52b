//! Replace: end the process that holds the file and take its place.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::notice::Waiting;
use crate::options::{Options, Replacement};

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
        self.replace = Some(Replacement {
            patience,
            stop,
            is_promising,
        });
        self
    }
}

/// Ends the holder that prevented a start, within the time that is `left` of the patience. Returns
/// why not, if it cannot be ended at the moment; otherwise the name may be free.
///
/// # Errors
///
/// Another attempt would not help: the holder is this process, does not lock its file, belongs to
/// another user or has not ended in time.
fn stop(options: &Options, refusal: Error, left: Duration) -> Result<Option<Error>> {
    let Error::Locked {
        own: false, path, ..
    } = &refusal
    else {
        return Err(refusal);
    };
    match options.holder() {
        // The time is up, so a holder that appears now is left alone.
        Ok(Some(_)) if left.is_zero() => Ok(Some(refusal)),
        Ok(Some(holder)) => {
            // A notice and an error quote the patience that the caller chose.
            let patience = options.replace.map(|replacement| replacement.patience);
            if let (Some(notice), Some(patience)) = (&options.on_wait, patience) {
                notice.call(&Waiting::stopping(holder.path(), holder.pid(), patience));
            }
            match holder.stop(left) {
                Ok(()) => Ok(None),
                Err(error) => Err(error.after(patience)),
            }
        }
        // It was already gone.
        Ok(None) if left.is_zero() => Err(Error::Contended { path: path.clone() }),
        Ok(None) => Ok(None),
        // It may be another starter that is only judging the file, or about to write its record.
        Err(error @ Error::UnknownHolder { .. }) => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Whether another attempt may succeed after one that was refused.
fn is_promising(options: &Options) -> bool {
    !matches!(options.holder(), Err(Error::UnknownHolder { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_show_the_time_and_no_addresses() {
        let options = Options::new().replace(Duration::from_secs(10));
        let shown = format!("{options:?}");
        assert!(shown.contains(" replace: Some(10s), "), "{shown}");
    }
}
