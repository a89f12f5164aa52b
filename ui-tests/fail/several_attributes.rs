//! A mistake in each of two attributes.

use pidfile::pidfile;

#[pidfile("/run/a.pid", chmod = 600)]
#[pidfile("/run/b.pid", lock = 1)]
fn main() {}
