//@ rename: pf
//! A dependency under another name.

use pf::pidfile;

#[pidfile("app.pid", crate = pf)]
fn work() -> pf::Result<u8> {
    Ok(1)
}

#[pidfile("main.pid", crate = pf)]
fn main() {
    assert_eq!(work().unwrap(), 1);
}
