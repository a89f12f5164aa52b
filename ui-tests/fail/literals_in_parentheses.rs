//! A literal is recognised through parentheses.

use pidfile::pidfile;

#[pidfile(path = (("")), chmod = (600), lock = (1), uid = (-(1)))]
fn main() {}
