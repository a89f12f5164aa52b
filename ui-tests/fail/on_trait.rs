//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
trait State {
    fn on(&self) {}
}

impl State for u8 {}

fn main() {
    1.on();
}
