//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
type Number = u8;

fn main() {
    let _: Number = 1;
}
