//! A value that ends too early.

use pidfile::pidfile;

#[pidfile(path = "/run/" +, chmod = 0o600)]
fn main() {}
