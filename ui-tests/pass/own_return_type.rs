//! A type of the program's own says it in its own way.

use pidfile::{FromAcquireError, PidFile, pidfile};

#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    Refused,
}

impl FromAcquireError for Outcome {
    fn from_acquire_error(_: pidfile::Error) -> Outcome {
        Outcome::Refused
    }
}

#[pidfile("app.pid")]
fn work() -> Outcome {
    Outcome::Done
}

struct Worker;

impl Worker {
    #[pidfile("app.pid")]
    fn new() -> Self {
        Worker
    }
}

impl FromAcquireError for Worker {
    fn from_acquire_error(error: pidfile::Error) -> Self {
        panic!("{error}")
    }
}

fn main() {
    assert_eq!(work(), Outcome::Done);
    let Worker = Worker::new();
    let _held = PidFile::acquire("app.pid").unwrap();
    assert_eq!(work(), Outcome::Refused);
}
