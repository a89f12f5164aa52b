//! Waiting on its own, without a file.

use super::*;

#[test]
fn without_a_watch_the_file_is_tried_more_and_more_rarely() {
    let mut waiter = Waiter::new(Some(Duration::from_millis(300)));
    let mut tries = 0;
    let mut is_free = || {
        tries += 1;
        Ok(false)
    };
    waiter.sleep_until(&mut is_free).unwrap();
    assert!(!waiter.is_patient());
    // After 1, 2, 4 to 64, and 100 milliseconds, and at the end; fewer if the sleeps took longer.
    assert!(tries <= 10, "{tries}");
}
