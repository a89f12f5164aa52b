//! A guard that was given a name and is not used is a variable like any other.

#![deny(unused)]

use pidfile::pidfile;

#[pidfile("/run/app.pid", held = guard)]
fn main() {}
