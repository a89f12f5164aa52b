//! What is around a process and may change under it: its directory, root,
//! user, limits and mounts, and the test that waits for it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::stdin;
use std::os::fd::IntoRawFd;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, alarm, chdir, chroot, read, setgid, setuid};

use crate::{number, octal};

/// No process outlives its test by more than this, whatever it hangs on; a
/// test gives up long before.
const ALARM_SECONDS: u32 = 300;

/// Makes sure that nothing of this process is left: no stray, no core file.
pub(crate) fn end_with_the_test() {
    alarm::set(ALARM_SECONDS);
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("a limit may be lowered");
}

/// Whether `name` was a step of this file.
pub(crate) fn obey(name: &str, value: &OsStr) -> bool {
    match name {
        "umask" => {
            umask(Mode::from_bits_truncate(octal(value)));
        }
        "chdir" => chdir(value).expect("chdir"),
        "chroot" => {
            chroot(value).expect("chroot");
            chdir("/").expect("chdir");
        }
        "become" => {
            let id = number(value);
            #[cfg(not(target_vendor = "apple"))]
            nix::unistd::setgroups(&[]).expect("setgroups");
            setgid(Gid::from_raw(id)).expect("setgid");
            setuid(Uid::from_raw(id)).expect("setuid");
        }
        "close" => close(number(value)),
        "close-all" => (3..64).for_each(|number| {
            // Ignored: most of them are not open.
            let _ = nix::unistd::close(number);
        }),
        "open-ten" => (0..10).for_each(|_| {
            let _open_to_the_end = File::open(value).expect("open").into_raw_fd();
        }),
        "limit-files" => limit(Resource::RLIMIT_NOFILE, value),
        "limit-processor" => limit(Resource::RLIMIT_CPU, value),
        "limit-size" => limit(Resource::RLIMIT_FSIZE, value),
        "limit-memory" => limit(Resource::RLIMIT_DATA, value),
        #[cfg(target_os = "linux")]
        "own-pid-namespace" => {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID).expect("unshare");
        }
        #[cfg(target_os = "linux")]
        "private-mounts" | "tmpfs" | "bind" | "read-only" | "read-write" => {
            mounts::obey(name, value);
        }
        _ => return false,
    }
    true
}

/// Reads one line, byte by byte: what follows it belongs to the next `wait`,
/// or to a forked child. The end of the input is the end of the test.
pub(crate) fn wait_for_a_line() {
    let mut byte = [0];
    loop {
        match read(stdin(), &mut byte) {
            Ok(0) => return,
            Ok(_) if byte == *b"\n" => return,
            // A handler of the program ran; what it did is asked for elsewhere.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("standard input: {error}"),
        }
    }
}

/// Lowers or raises the soft limit, so that a later step can take it back.
fn limit(resource: Resource, value: &OsStr) {
    let (_, hard) = getrlimit(resource).expect("getrlimit");
    let soft = if value == "max" { hard } else { number(value) };
    setrlimit(resource, soft, hard).expect("setrlimit");
}

fn close(descriptor: std::os::fd::RawFd) {
    nix::unistd::close(descriptor).expect("close");
}

#[cfg(target_os = "linux")]
mod mounts {
    //! A mount namespace of its own takes everything with it when it ends.

    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use nix::mount::{MsFlags, mount};
    use nix::sched::{CloneFlags, unshare};

    const NOTHING: Option<&str> = None;

    pub(super) fn obey(name: &str, value: &OsStr) {
        match name {
            "private-mounts" => {
                unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
                change("/".as_ref(), MsFlags::MS_REC | MsFlags::MS_PRIVATE);
            }
            "tmpfs" => mount(
                Some("tmpfs"),
                value,
                Some("tmpfs"),
                MsFlags::empty(),
                Some("size=16k"),
            )
            .expect("mount a tmpfs"),
            "bind" => {
                let (from, to) = halves(value);
                mount(Some(from), to, NOTHING, MsFlags::MS_BIND, NOTHING).expect("mount --bind");
            }
            "read-only" => change(value, MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY),
            _ => change(value, MsFlags::MS_REMOUNT),
        }
    }

    fn change(target: &OsStr, flags: MsFlags) {
        mount(NOTHING, target, NOTHING, flags, NOTHING).expect("change a mount");
    }

    fn halves(value: &OsStr) -> (&OsStr, &OsStr) {
        let bytes = value.as_bytes();
        let comma = bytes
            .iter()
            .position(|&byte| byte == b',')
            .expect("FROM,TO");
        (
            OsStr::from_bytes(&bytes[..comma]),
            OsStr::from_bytes(&bytes[comma + 1..]),
        )
    }
}
