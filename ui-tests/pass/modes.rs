//! The mode is exact, whatever the umask, and may be computed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use pidfile::pidfile;

const BASE: u32 = 0o600;

const fn for_group() -> u32 {
    0o660
}

fn mode() -> u32 {
    fs::metadata("app.pid").unwrap().permissions().mode() & 0o7777
}

#[pidfile("app.pid", chmod = BASE | 0o040)]
fn computed() {
    assert_eq!(mode(), 0o640);
}

#[pidfile("app.pid", chmod = 0o6_00)]
fn underscores() {
    assert_eq!(mode(), 0o600);
}

#[pidfile("app.pid", chmod = 0o664u32)]
fn suffixed() {
    assert_eq!(mode(), 0o664);
}

#[pidfile("app.pid", chmod = for_group())]
fn called() {
    assert_eq!(mode(), 0o660);
}

#[pidfile("app.pid", chmod = 384 + 0)]
fn left_to_the_author() {
    assert_eq!(mode(), 0o600);
}

fn main() {
    computed();
    underscores();
    suffixed();
    called();
    left_to_the_author();
}
