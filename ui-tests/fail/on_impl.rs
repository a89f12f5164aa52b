//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
impl State {
    fn on(&self) {}
}

struct State;

fn main() {
    State.on();
}
