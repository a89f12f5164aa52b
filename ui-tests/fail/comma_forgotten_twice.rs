//! One mistake for each comma.

use pidfile::pidfile;

#[pidfile(name = "app" dir = "/run/app", lock signals, chmod = 0o600)]
fn main() {}
