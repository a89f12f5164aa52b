//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
enum State {
    On,
}

fn main() {
    let _ = State::On;
}
