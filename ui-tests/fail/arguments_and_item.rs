//! The arguments are checked even where the attribute cannot stand.

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 600)]
struct State;

fn main() {
    let _ = State;
}
