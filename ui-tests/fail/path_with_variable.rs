//! Text that only a shell expands.

use pidfile::pidfile;

#[pidfile(path = "$XDG_RUNTIME_DIR/app.pid")]
fn main() {}
