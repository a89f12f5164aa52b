//! A literal is not a handler, in braces either.

use pidfile::pidfile;

#[pidfile(on_error = { 3 })]
fn main() {}
