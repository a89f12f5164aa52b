//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
mod state {
    pub fn on() {}
}

fn main() {
    state::on();
}
