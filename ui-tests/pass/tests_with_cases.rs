//@ test
//! `#[rstest]` on either side, its cases and fixtures as arguments.

use std::path::Path;
use std::thread;

use pidfile::pidfile;
use rstest::{fixture, rstest};

#[fixture]
fn path() -> String {
    "fixture.pid".into()
}

fn of_thread() -> String {
    format!("{:?}.pid", thread::current().id())
}

#[rstest]
#[case(1)]
#[case(2)]
#[pidfile(path = of_thread())]
fn cases(#[case] number: u8) {
    assert!(Path::new(&of_thread()).exists(), "{number}");
}

#[pidfile(path = &path)]
#[rstest]
fn fixtures(path: String) {
    assert!(Path::new(&path).exists());
}

#[pidfile(path = of_thread())]
#[rstest]
#[case(1)]
#[case(2)]
#[tokio::test]
async fn asynchronous(#[case] number: u8) {
    tokio::task::yield_now().await;
    assert!(Path::new(&of_thread()).exists(), "{number}");
}
