//! Steps that change what surrounds the process: its directory, root, user, descriptors and limits.
//! The test that waits for it is part of that too.

#[cfg(target_os = "linux")]
use std::ffi::CString;
use std::ffi::OsStr;
use std::fs::File;
use std::io::stdin;
use std::os::fd::{AsFd, IntoRawFd};
#[cfg(target_os = "linux")]
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, alarm, chdir, chroot, read, setgid, setuid};

use crate::argument::{number, octal};

/// No process outlives its test by more than this, even if it hangs. A test gives up long before.
const ALARM_SECONDS: u32 = 300;

/// Makes sure that this process leaves nothing behind: neither a stray process nor a core file.
pub(crate) fn end_with_the_test() {
    alarm::set(ALARM_SECONDS);
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("a limit may be lowered");
}

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr) -> bool {
    match name {
        #[cfg(target_os = "linux")]
        "title" => {
            let title = CString::new(value.as_bytes()).expect("no NUL");
            nix::sys::prctl::set_name(&title).expect("PR_SET_NAME");
        }
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
            let file = File::options().read(true).write(true).open(value);
            let _open_to_the_end = file.expect("open").into_raw_fd();
        }),
        "limit-files" => limit(Resource::RLIMIT_NOFILE, value),
        "limit-processor" => limit(Resource::RLIMIT_CPU, value),
        "limit-size" => limit(Resource::RLIMIT_FSIZE, value),
        "limit-memory" => limit(Resource::RLIMIT_DATA, value),
        #[cfg(target_os = "linux")]
        "own-pid-namespace" => {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID).expect("unshare");
        }
        _ => return false,
    }
    true
}

/// Reads one line, byte by byte: what follows it belongs to the next `wait` or to a forked child.
/// The input ends with the test.
pub(crate) fn wait_for_a_line() {
    let mut byte = [0];
    loop {
        match read(stdin(), &mut byte) {
            Ok(0) => return,
            Ok(_) if byte == *b"\n" => return,
            // A handler of the program ran; `handled` reports it.
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("standard input: {error}"),
        }
    }
}

/// Waits for input by `poll`, which fails when a handler has run, whatever its flags.
pub(crate) fn poll_for_input() {
    let input = stdin();
    let mut ask = [PollFd::new(input.as_fd(), PollFlags::POLLIN)];
    match poll(&mut ask, PollTimeout::NONE) {
        Ok(_) => println!("poll ready"),
        Err(error) => println!("poll {error:?}"),
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
