//! The future of a trait like that of services.

use std::future::{Ready, ready};

use pidfile::pidfile;

trait Service {
    type Future;
    fn call(&self) -> Self::Future;
}

struct Clock;

impl Service for Clock {
    type Future = Ready<u8>;

    #[pidfile("/run/app.pid")]
    fn call(&self) -> Self::Future {
        ready(1)
    }
}

fn main() {
    drop(Clock.call());
}
