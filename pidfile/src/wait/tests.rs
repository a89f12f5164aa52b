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

#[cfg(target_os = "linux")]
#[test]
#[cfg_attr(miri, ignore = "Miri does not know inotify")]
fn a_sleep_on_a_watch_does_not_end_before_its_time() {
    let mut watch = Watch::new().unwrap();
    for micros in [1, 999, 1_500] {
        let longest = Duration::from_micros(micros);
        let begin = Instant::now();
        assert_eq!(watch.sleep(longest), Sleep::Whole);
        assert!(begin.elapsed() >= longest, "{longest:?}");
    }
}
