//! The time limit of a call.

use std::time::{Duration, Instant};

/// When a call's time is up; `None` if it has no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// That long from now. There is no limit for `None`, or for a time that overflows the clock.
    pub(crate) fn after(time: Option<Duration>) -> Deadline {
        Deadline(time.and_then(|time| Instant::now().checked_add(time)))
    }

    /// What is left of the time; `Duration::MAX` if there is no limit.
    pub(crate) fn left(&self) -> Duration {
        self.0.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        })
    }
}
