//! The system's strings end at a NUL.

use pidfile::pidfile;

#[pidfile(dir = "/run/\0/app")]
fn main() {}
