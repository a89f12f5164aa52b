//! Without the standard library's names, a mistake is one error all the same.

#![no_std]

use pidfile::pidfile;

#[pidfile("/run/app.pid", chmod = 600)]
fn main() {}

#[pidfile("/run/app.pid", wiat)]
fn number() -> Result<u8, pidfile::Error> {
    Ok(1)
}

#[pidfile("/run/app.pid")]
const fn constant() {}
