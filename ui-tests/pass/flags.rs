//! Flags stand alone or take any `bool`.

use pidfile::pidfile;

const OFF: bool = false;

#[pidfile("app.pid", lock = false || true, signals = OFF, at_exit = !OFF)]
fn computed() {}

#[pidfile("app.pid", lock, signals, at_exit, refuse_live)]
fn alone() {}

#[pidfile("app.pid", signals = false)]
fn without_signals() {}

#[pidfile("app.pid", allow_same_process)]
fn outer() -> pidfile::Result<u8> {
    inner()
}

#[pidfile("app.pid", allow_same_process = true)]
fn inner() -> pidfile::Result<u8> {
    Ok(1)
}

fn main() {
    computed();
    alone();
    without_signals();
    assert_eq!(outer().unwrap(), 1);
}
