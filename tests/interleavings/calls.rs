//! What a system call touches: names in the directory, files, and what /proc tells about a process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::libc;

use super::world::World;
use crate::support::{Call, Stepped};

/// What a call touches that another process may change.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    pub(super) verb: &'static str,
    /// Flags of the call, as far as they decide what it does.
    pub(super) flags: u64,
    pub(super) names: Vec<Vec<u8>>,
    /// A descriptor of the process that is open on a file in the directory.
    pub(super) descriptor: Option<u64>,
    /// The answer depends on which locks there are, and which processes.
    pub(super) asks_the_system: bool,
}

/// What a process is about to do.
#[derive(Clone, Debug)]
pub(super) enum Next {
    /// A call that others may notice, or whose answer depends on others.
    Call(Touched),
    /// A call that may create a file that has no name yet.
    Draft,
    /// A report of this address and length.
    Report(u64, u64),
    /// A sleep.
    Sleep,
    /// Anything else.
    Private,
}

impl Next {
    pub(super) fn of(process: &Stepped, call: &Call, world: &World) -> Next {
        let [first, second, third, fourth, ..] = call.arguments;
        let mut touched = Touched::default();
        let mut paths = Vec::new();
        let mut descriptor = Some(first);
        let nameless = u64::from(libc::O_TMPFILE.cast_unsigned());
        touched.verb = match call.number {
            libc::SYS_write if first == 1 => return Next::Report(second, third),
            libc::SYS_nanosleep | libc::SYS_clock_nanosleep | libc::SYS_poll | libc::SYS_ppoll => {
                return Next::Sleep;
            }
            libc::SYS_openat if third & nameless == nameless => return Next::Draft,
            libc::SYS_openat => {
                touched.flags = third;
                paths.push(second);
                "open"
            }
            libc::SYS_unlinkat => {
                paths.push(second);
                "unlink"
            }
            libc::SYS_newfstatat => {
                paths.push(second);
                "stat"
            }
            libc::SYS_linkat => {
                paths.extend([second, fourth]);
                "link"
            }
            libc::SYS_renameat | libc::SYS_renameat2 => {
                paths.extend([second, fourth]);
                "rename"
            }
            libc::SYS_flock => {
                touched.flags = second;
                "flock"
            }
            libc::SYS_ftruncate => {
                touched.flags = second;
                "truncate"
            }
            libc::SYS_fcntl if ASK_FOR_A_LOCK.contains(&second) => "ask for a lock of",
            libc::SYS_fstat => "stat",
            libc::SYS_pread64 => "read",
            libc::SYS_write | libc::SYS_pwrite64 => "write",
            libc::SYS_fchmod | libc::SYS_fchown => "change",
            libc::SYS_close => "close",
            libc::SYS_read | libc::SYS_getdents64 => {
                let list = list_about_others(process, first, world);
                touched.asks_the_system = list.is_some();
                list.unwrap_or("read")
            }
            libc::SYS_kill => {
                let other = u32::try_from(first).unwrap_or_default();
                touched.asks_the_system = world.member(other).is_some();
                descriptor = None;
                "ask for the life of a process"
            }
            // All descriptors are closed.
            libc::SYS_exit_group => {
                touched.verb = "exit";
                return Next::Call(touched);
            }
            _ => return Next::Private,
        };
        let is_shared = |descriptor: &u64| {
            let file = process.file(*descriptor);
            file.is_some_and(|file| world.is_shared(file))
        };
        touched.descriptor = descriptor.filter(is_shared);
        touched.names = paths.into_iter().map(|path| process.string(path)).collect();
        // `.` and the numbers in /proc are not names in this directory.
        touched
            .names
            .retain(|name| !name.is_empty() && name != b"." && !name.starts_with(b"/"));
        let is_private =
            touched.names.is_empty() && touched.descriptor.is_none() && !touched.asks_the_system;
        if is_private {
            Next::Private
        } else {
            Next::Call(touched)
        }
    }
}

/// The list of all locks is read. It may skip a line, so it is read several times, which is no step of
/// its own.
pub(super) const LOCKS: &str = "read locks";

const ASK_FOR_A_LOCK: [u64; 2] = [libc::F_OFD_GETLK as u64, libc::F_GETLK as u64];

/// The list of all locks, or what /proc says about the descriptors of another process, if a call begins
/// to read that. A list counts as read at once.
fn list_about_others(process: &Stepped, descriptor: u64, world: &World) -> Option<&'static str> {
    let pid = process.pid();
    let path: PathBuf = fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).ok()?;
    let words: Vec<_> = path.iter().filter_map(|word| word.to_str()).collect();
    let member = |word: &str| world.member(word.parse().ok()?);
    let list = match words.as_slice() {
        ["/", "proc", "locks"] => LOCKS,
        ["/", "proc", other, "fdinfo"] => member(other).map(|_| "read fdinfo")?,
        ["/", "proc", other, "fdinfo", file] => {
            member(other)?;
            let facts = fs::metadata(format!("/proc/{other}/fd/{file}")).ok()?;
            let is_shared = world.is_shared((facts.dev(), facts.ino()));
            is_shared.then_some("read fdinfo of a file")?
        }
        _ => return None,
    };
    let facts = fs::read_to_string(format!("/proc/{pid}/fdinfo/{descriptor}")).ok()?;
    facts.starts_with("pos:\t0\n").then_some(list)
}
