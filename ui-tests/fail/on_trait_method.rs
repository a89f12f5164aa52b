//! A function without a body.

use pidfile::pidfile;

trait Service {
    #[pidfile("/run/app.pid")]
    fn run(&self);
}

impl Service for u8 {
    fn run(&self) {}
}

fn main() {
    1.run();
}
