//! File systems whose locks need a closer look.

use std::os::fd::RawFd;

/// Whether the file is on a server that speaks CIFS, which is also called SMB.
pub(crate) fn is_on_cifs(fd: RawFd) -> bool {
    /// `CIFS_SUPER_MAGIC` and `SMB2_SUPER_MAGIC`, from <linux/magic.h>.
    const CIFS: [u32; 2] = [0xFF53_4D42, 0xFE53_4D42];
    magic(fd).is_some_and(|magic| CIFS.contains(&magic))
}

/// Whether the file is, or may be, on a file system that a program provides.
pub(crate) fn may_be_on_fuse(fd: RawFd) -> bool {
    /// `FUSE_SUPER_MAGIC`, from <linux/magic.h>.
    const FUSE: u32 = 0x6573_5546;
    magic(fd).is_none_or(|magic| magic == FUSE)
}

/// The number of the file system's type.
#[cfg(target_os = "linux")]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a word of either sign, of which the magic number fills 32 bits"
)]
fn magic(fd: RawFd) -> Option<u32> {
    use std::mem::MaybeUninit;

    use nix::errno::Errno;
    use nix::libc;

    use super::retry;

    let mut facts = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: `facts` is valid for writing one structure of that type.
    retry(|| Errno::result(unsafe { libc::fstatfs(fd, facts.as_mut_ptr()) })).ok()?;
    // SAFETY: fstatfs has succeeded, so it has filled in the structure.
    let facts = unsafe { facts.assume_init() };
    Some(facts.f_type as u32)
}

#[cfg(not(target_os = "linux"))]
fn magic(_: RawFd) -> Option<u32> {
    None
}
