//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
extern crate std as standard;

fn main() {
    standard::process::abort();
}
