//! Retries of an operation that a temporary obstacle prevents.

use std::thread;
use std::time::{Duration, Instant};

/// How long to try again if the obstacle may be a start that is only judging the file.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);
/// How long to try again if the obstacle is certainly not a holder. This is longer, because on a
/// busy machine a reader may wait for the processor while it has the lock.
pub(crate) const READERS: Duration = Duration::from_secs(1);
/// The pause between two tries.
const STEP: Duration = Duration::from_millis(1);

/// The retries of one operation, limited in time, and also in number because a clock may stand
/// still.
pub(crate) struct Retries {
    begun: Instant,
    made: u32,
}

impl Retries {
    pub(crate) fn new() -> Retries {
        Retries {
            begun: Instant::now(),
            made: 0,
        }
    }

    /// Sleeps for one step, or returns `false` if the patience is used up.
    pub(crate) fn pause(&mut self, patience: Duration) -> bool {
        let most = patience.as_millis() / STEP.as_millis();
        if u128::from(self.made) >= most || self.begun.elapsed() >= patience {
            return false;
        }
        self.made += 1;
        thread::sleep(STEP);
        true
    }
}
