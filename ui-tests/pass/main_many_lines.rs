//! Every argument that goes together, one on each line.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::fs::PermissionsExt;

use pidfile::pidfile;

#[pidfile(
    path = "app.pid",
    chmod = 0o600,
    uid = fs::metadata(".").unwrap().uid(),
    gid = fs::metadata(".").unwrap().gid(),
    lock,
    signals = false,
    at_exit = true,
    allow_same_process = false,
    refuse_live,
    on_error = |error| panic!("{error}"),
    crate = ::pidfile,
)]
fn main() {
    let mode = fs::metadata("app.pid").unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
}
