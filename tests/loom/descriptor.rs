//! The part of the real module that the registry uses.

use crate::kernel;
use crate::sys::FileId;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    pub(crate) dir: i32,
    pub(crate) file: i32,
    pub(crate) id: FileId,
}

impl Numbers {
    /// A scrub asks for this first.
    pub(crate) fn file_is_lost(&self) -> bool {
        // Not that of the file itself, which one model uses twice.
        let number = u64::from(self.dir.unsigned_abs());
        assert_eq!(self.id.ino, number, "the numbers are of two files");
        kernel::begin_scrub(self.dir);
        false
    }

    pub(crate) fn is_locked_by_another(&self) -> bool {
        false
    }
}
