//! How long a call may take.

use std::time::{Duration, Instant};

/// The end of a call's time, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// That long from now; without a limit for `None`, and for a time that overflows the clock.
    pub(crate) fn after(time: Option<Duration>) -> Deadline {
        Deadline(time.and_then(|time| Instant::now().checked_add(time)))
    }

    /// What is left of the time; `Duration::MAX` where there is no limit.
    pub(crate) fn left(&self) -> Duration {
        self.0.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        })
    }
}
