//! The events of the feature `tracing`. Without it, these calls compile to
//! nothing. They are never made in a signal handler.

#[cfg(feature = "tracing")]
mod sink {
    use std::path::Path;

    use crate::error::Error;

    /// One name for all events, whichever module they come from.
    const TARGET: &str = "pidfile";

    pub(crate) fn resolved(path: &Path) {
        tracing::debug!(target: TARGET, path = %path.display(), "resolved");
    }

    pub(crate) fn taking_over(path: &Path, replaced: Option<u32>) {
        tracing::info!(target: TARGET, path = %path.display(), replaced, "taking over");
    }

    pub(crate) fn published(path: &Path, pid: u32) {
        tracing::debug!(target: TARGET, path = %path.display(), pid, "published");
    }

    pub(crate) fn waiting_for(path: &Path, holder: Option<u32>) {
        tracing::debug!(target: TARGET, path = %path.display(), holder, "waiting for");
    }

    pub(crate) fn stopping(path: &Path, holder: u32) {
        tracing::debug!(target: TARGET, path = %path.display(), holder, "stopping");
    }

    pub(crate) fn released(path: &Path) {
        tracing::debug!(target: TARGET, path = %path.display(), "released");
    }

    pub(crate) fn refused(error: &Error) {
        tracing::warn!(target: TARGET, ?error, "cleanup failed");
    }
}

#[cfg(not(feature = "tracing"))]
mod sink {
    use std::path::Path;

    use crate::error::Error;

    pub(crate) fn resolved(_: &Path) {}
    pub(crate) fn taking_over(_: &Path, _: Option<u32>) {}
    pub(crate) fn published(_: &Path, _: u32) {}
    pub(crate) fn waiting_for(_: &Path, _: Option<u32>) {}
    pub(crate) fn stopping(_: &Path, _: u32) {}
    pub(crate) fn released(_: &Path) {}
    pub(crate) fn refused(_: &Error) {}
}

pub(crate) use sink::{published, refused, released, resolved, stopping, taking_over, waiting_for};
