//! Words of other tools, one mistake each.

use pidfile::pidfile;

#[pidfile(
    mode = 0o600, perm = 0o600, perms = 0o600, permissions = 0o600,
    file = "a", filename = "a", pidfile = "a", directory = "a",
    user = "a", chown = "a", flock, signal, timeout = 5, block, atexit, reentrant,
    error = f, on_err = f, krate = ::pidfile,
)]
fn main() {}
