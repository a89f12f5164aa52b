//! Values that end too early, each reported at its last token.

use pidfile::pidfile;

#[pidfile(path = config., on_error = |error|, lock = !)]
fn main() {}
