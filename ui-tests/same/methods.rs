//! Methods, and what is said of their receivers.

struct Counter(u8);

impl Counter {
    #[pidfile::pidfile("app.pid")]
    fn count(&self) {
        self.0 += 1;
    }

    #[pidfile::pidfile("app.pid", on_error = |_| 0)]
    fn number(&self) -> u8 {
        self.number
    }

    #[pidfile::pidfile("app.pid", on_error = |_| 0)]
    fn take(self) -> u8 {
        drop(self);
        self.0
    }
}

trait Service {
    fn run(&self) -> pidfile::Result<u8>;
}

impl Service for Counter {
    #[pidfile::pidfile("app.pid")]
    fn run(&mut self) -> pidfile::Result<u8> {
        Ok(1)
    }
}

fn main() {}
