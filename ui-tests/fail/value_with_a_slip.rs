//! A slip inside brackets is one mistake, and what follows is read.

use pidfile::pidfile;

#[pidfile(path = format!("{}", 1).join(a b), chmod = 600)]
fn main() {}
