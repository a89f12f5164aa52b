//@ editions: 2015 2018 2021 2024
//! A crate that links the standard library through the runtime only.

#![no_std]

extern crate pidfile;

#[pidfile::pidfile("main.pid", chmod = 0o640, wait = "1s")]
fn main() {
    assert_eq!(nested().unwrap(), 2);
    assert_eq!(lost(), 3);
    unit();
}

#[pidfile::pidfile(path = "result.pid", held = guard)]
fn nested() -> Result<u8, pidfile::Error> {
    Ok(if guard.verify().is_ok() { 2 } else { 0 })
}

#[pidfile::pidfile("main.pid", on_error = |_| 3)]
fn lost() -> u8 {
    4
}

#[pidfile::pidfile]
fn unit() {}
