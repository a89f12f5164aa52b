//! How often, and how long, something that is in the way for an instant is tried
//! again.

use std::thread;
use std::time::{Duration, Instant};

/// For an obstacle that may be a starter which is only judging the file.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);
/// For one that certainly is not a holder. On a busy machine a reader that has the lock may have to
/// wait long for the processor.
pub(crate) const READERS: Duration = Duration::from_secs(1);
/// Between two tries.
const STEP: Duration = Duration::from_millis(1);

/// The retries of one question: limited in time, and in number because a clock may stand still.
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

    /// Sleeps for a step; `false` if the patience is used up.
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
