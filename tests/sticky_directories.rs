//! The test that sets `fs.protected_regular` for the whole machine. No other test runs beside it, and
//! the value is restored even if it fails.

use std::fs;

use crate::permissions::assert_whose_file_it_is_decides;
use crate::support::{Sandbox, is_root, needs};

const PROTECTED_REGULAR: &str = "/proc/sys/fs/protected_regular";

/// Restores the value.
struct Restore(String);

impl Drop for Restore {
    fn drop(&mut self) {
        fs::write(PROTECTED_REGULAR, &self.0).expect("what could be set can be set back");
    }
}

#[test]
fn whose_file_it_is_decides_however_sticky_directories_are_protected() {
    let sandbox = Sandbox::alone();
    if !is_root() {
        return;
    }
    let before = fs::read_to_string(PROTECTED_REGULAR).unwrap_or_default();
    let may_be_set = fs::write(PROTECTED_REGULAR, &before).is_ok();
    if !needs(
        may_be_set && !before.is_empty(),
        "to set fs.protected_regular",
    ) {
        return;
    }
    let _restore = Restore(before);
    for value in ["0", "1", "2"] {
        fs::write(PROTECTED_REGULAR, value).expect("a value it knows");
        assert_whose_file_it_is_decides(&sandbox);
        for folder in ["theirs", "ours", "shared"] {
            fs::remove_dir_all(sandbox.path(folder)).unwrap();
        }
    }
}
