//@ test
//! `#[test_log::test]` on either side, and `#[test_case]` above ours.

use std::path::Path;

use pidfile::pidfile;
use test_case::test_case;

#[test_log::test]
#[pidfile("log_above.pid")]
fn log_above() {
    assert!(Path::new("log_above.pid").exists());
}

#[pidfile("log_below.pid")]
#[test_log::test]
fn log_below() {
    assert!(Path::new("log_below.pid").exists());
}

#[test_case(1; "first")]
#[test_case(2; "second")]
#[pidfile(path = "cases.pid", wait = "1m")]
fn cases(_number: u8) {
    assert!(Path::new("cases.pid").exists());
}
