//! A thread that reads a file over and over, and what it has seen.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::slice;
use std::time::{Duration, Instant};

use nix::libc;

use crate::support::deadline;

/// How long a reader goes on.
const READING: Duration = Duration::from_secs(2);

/// How a program reads a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// All of it in one call, as `cat` and most programs do.
    AtOnce,
    /// Byte by byte up to the end of the line, as `read` does in a shell.
    ByteByByte,
    /// By `mmap`.
    Mapped,
}

/// What a reader has seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) records: BTreeSet<String>,
    /// Whether there was no file at times.
    pub(super) was_absent: bool,
    pub(super) readings: usize,
}

/// Reads for two seconds, and then on until it has seen enough.
#[track_caller]
pub(super) fn read(path: &Path, way: Way, is_enough: impl Fn(&Seen) -> bool) -> Seen {
    let mut seen = Seen::default();
    let begin = Instant::now();
    while begin.elapsed() < READING || !is_enough(&seen) {
        assert!(begin.elapsed() < deadline(), "{way:?} saw only {seen:?}");
        match File::open(path) {
            Ok(mut file) => {
                let record = String::from_utf8(bytes(&mut file, way));
                seen.records.insert(record.expect("ASCII"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => seen.was_absent = true,
            Err(error) => panic!("{way:?}: {error}"),
        }
        seen.readings += 1;
    }
    seen
}

/// The content of the file, read once.
fn bytes(file: &mut File, way: Way) -> Vec<u8> {
    let mut bytes = Vec::new();
    match way {
        Way::AtOnce => {
            bytes.resize(64, 0);
            let length = file.read(&mut bytes).expect("read");
            bytes.truncate(length);
        }
        Way::ByteByByte => {
            let mut byte = [0];
            while bytes.last() != Some(&b'\n') && file.read(&mut byte).expect("read") == 1 {
                bytes.push(byte[0]);
            }
        }
        Way::Mapped => {
            let length = file.metadata().expect("fstat").len();
            bytes = mapped(file, length.try_into().expect("it is small"));
        }
    }
    bytes
}

#[allow(unsafe_code, reason = "mmap")]
fn mapped(file: &File, length: usize) -> Vec<u8> {
    // An empty range cannot be mapped.
    if length == 0 {
        return Vec::new();
    }
    // SAFETY: the kernel chooses the address, so no other memory is replaced.
    let address = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            0,
        )
    };
    assert_ne!(address, libc::MAP_FAILED, "mmap");
    // SAFETY: so many bytes are mapped, and a file that is not written in place never gets shorter.
    let bytes = unsafe { slice::from_raw_parts(address.cast::<u8>(), length) }.to_vec();
    // SAFETY: the range was mapped above, and nothing refers to it any more.
    let unmapped = unsafe { libc::munmap(address, length) };
    assert_eq!(unmapped, 0, "munmap");
    bytes
}
