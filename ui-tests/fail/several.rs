//! All mistakes of one attribute at once.

use pidfile::pidfile;

#[pidfile(path = "/x", chmd = 600, wiat = 3, name = "z")]
fn main() {}
