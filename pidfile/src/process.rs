//! Facts about a process: whether it is alive, which program it runs, and which
//! user it belongs to.
//!
//! They serve messages, `refuse_live` and `lock(false)`; the lock needs none of
//! them. Start times are not among them, because after a step of the clock a
//! living holder would look like a new process and lose its file.

use nix::errno::Errno;
use nix::libc::c_int;
use nix::sys::signal;
use nix::unistd::{Pid, Uid, User, geteuid};

use crate::sys;

/// Whether a process with that id is alive. A zombie is not, because it no longer runs anything.
///
/// # Platform-specific behavior
///
/// Zombies, and threads whose id looks like that of a process, are recognised on Linux with `/proc`
/// only.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Ok(raw) = i32::try_from(pid) else {
        return false;
    };
    match signal::kill(Pid::from_raw(raw), None) {
        Err(Errno::ESRCH) => false,
        // EPERM means that it exists and belongs to another user.
        _ => proc::runs(pid).unwrap_or(true),
    }
}

/// Sends a signal to a process, and never to a group of processes.
pub(crate) fn signal(pid: u32, signal: c_int) -> nix::Result<()> {
    match i32::try_from(pid) {
        Ok(pid @ 1..) => sys::kill(pid, signal),
        Ok(_) | Err(_) => Err(Errno::ESRCH),
    }
}

/// Its effective user, where the system reports it.
pub(crate) fn uid(pid: u32) -> Option<u32> {
    proc::uid(pid)
}

/// Whether it has been stopped by a signal.
pub(crate) fn is_suspended(pid: u32) -> bool {
    proc::is_suspended(pid)
}

/// Whether that process provably runs another program than this one.
///
/// Only the executable proves it, because a process can choose its own command name.
pub(crate) fn is_another_program(pid: u32) -> bool {
    match (proc::executable(pid), proc::executable(std::process::id())) {
        (Some(theirs), Some(ours)) => theirs != ours,
        _ => false,
    }
}

/// What a message says about a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Portrait {
    /// Its command name, fit for a message.
    pub(crate) program: Option<String>,
    /// The name of its user, or the user id if there is no name; `None` if the user is ours.
    pub(crate) user: Option<String>,
    /// Whether it is stopped by a signal.
    pub(crate) suspended: bool,
}

impl Portrait {
    pub(crate) fn of(pid: u32) -> Portrait {
        let uid = proc::uid(pid).map(Uid::from_raw);
        Portrait {
            program: proc::command(pid).map(|name| {
                name.chars()
                    .map(|c| if c.is_control() { '?' } else { c })
                    .collect()
            }),
            user: uid.filter(|uid| *uid != geteuid()).map(user_name),
            suspended: proc::is_suspended(pid),
        }
    }
}

/// The name of a user, or the user id if there is no name.
pub(crate) fn user_name(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        // The user is only a detail of a message, so the id will do.
        Ok(None) | Err(_) => uid.to_string(),
    }
}

/// `/proc`, read as bytes: a program's name may be anything.
#[cfg(target_os = "linux")]
pub(crate) mod proc {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::PathBuf;

    /// A file of a process in `/proc`; `None` if there is no `/proc`, or if it shows another pid
    /// namespace.
    fn read(pid: u32, file: &str) -> Option<Vec<u8>> {
        is_ours().then(|| fs::read(path(pid, file)).ok()).flatten()
    }

    fn path(pid: u32, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{pid}/{file}"))
    }

    /// Whether `/proc` shows our own pid namespace. In that of an ancestor this process has more
    /// than one id, and in an unrelated one it has none.
    pub(crate) fn is_ours() -> bool {
        let Ok(status) = fs::read("/proc/self/status") else {
            return false;
        };
        match field(&status, b"NSpid:") {
            Some(numbers) => !numbers.iter().any(u8::is_ascii_whitespace),
            // Linux before 4.1.
            None => field(&status, b"Tgid:") == Some(std::process::id().to_string().as_bytes()),
        }
    }

    /// The value of a line such as `State:\tS (sleeping)`.
    fn field<'a>(status: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
        status
            .split(|byte| *byte == b'\n')
            .find_map(|line| line.strip_prefix(key))
            .map(<[u8]>::trim_ascii)
    }

    fn number(field: &[u8]) -> Option<u32> {
        std::str::from_utf8(field).ok()?.parse().ok()
    }

    /// Whether this is the id of a process, and something still runs in it; `None` if `/proc` does
    /// not show it.
    pub(super) fn runs(pid: u32) -> Option<bool> {
        let status = read(pid, "status")?;
        // kill(2) accepts the id of a thread as well, and so does /proc.
        let is_process = number(field(&status, b"Tgid:")?) == Some(pid);
        let leader_is_dead = field(&status, b"State:")?.starts_with(b"Z")
            || field(&status, b"State:")?.starts_with(b"X");
        // The main thread may end before the others do.
        let has_more_threads = field(&status, b"Threads:")
            .and_then(number)
            .is_some_and(|threads| threads > 1);
        Some(is_process && (!leader_is_dead || has_more_threads))
    }

    pub(super) fn is_suspended(pid: u32) -> bool {
        read(pid, "status").is_some_and(|status| {
            field(&status, b"State:").is_some_and(|state| state.starts_with(b"T"))
        })
    }

    /// The effective user.
    pub(super) fn uid(pid: u32) -> Option<u32> {
        let status = read(pid, "status")?;
        let mut ids = field(&status, b"Uid:")?.split(u8::is_ascii_whitespace);
        number(ids.nth(1)?)
    }

    pub(super) fn command(pid: u32) -> Option<String> {
        let name = read(pid, "comm")?;
        let name = name.strip_suffix(b"\n").unwrap_or(&name);
        Some(String::from_utf8_lossy(name).into_owned())
    }

    /// The file name of the executable. Its path and inode are not compared, because an upgrade may
    /// change both while the program stays the same.
    pub(super) fn executable(pid: u32) -> Option<OsString> {
        if !is_ours() {
            return None;
        }
        let path = fs::read_link(path(pid, "exe")).ok()?;
        let name = path.file_name()?.as_bytes();
        // The kernel appends this to the path of a file that was replaced or removed.
        let name = name.strip_suffix(b" (deleted)").unwrap_or(name);
        Some(OsString::from_vec(name.to_vec()))
    }
}

#[cfg(not(target_os = "linux"))]
mod proc {
    use std::ffi::OsString;

    pub(super) fn runs(_: u32) -> Option<bool> {
        None
    }

    pub(super) fn is_suspended(_: u32) -> bool {
        false
    }

    pub(super) fn uid(_: u32) -> Option<u32> {
        None
    }

    pub(super) fn command(_: u32) -> Option<String> {
        None
    }

    pub(super) fn executable(_: u32) -> Option<OsString> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `kill`")]
    fn this_process_is_alive_and_is_itself() {
        let me = std::process::id();
        assert!(is_alive(me));
        assert!(!is_another_program(me));
        let portrait = Portrait::of(me);
        assert!(portrait.user.is_none() && !portrait.suspended);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `kill`")]
    fn a_number_that_no_process_has_is_dead() {
        // One more than the largest pid_max that Linux allows, and what kill would take for a
        // group of processes.
        assert!(!is_alive(4_194_305));
        assert!(!is_alive(u32::MAX));
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[cfg_attr(miri, ignore = "Miri starts no process")]
    fn a_zombie_is_dead_and_a_stranger_is_another_program() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        // `spawn` returns after the exec.
        assert!(is_alive(child.id()));
        assert!(is_another_program(child.id()));
        assert_eq!(Portrait::of(child.id()).program.as_deref(), Some("sleep"));
        child.kill().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while is_alive(child.id()) {
            assert!(
                std::time::Instant::now() < deadline,
                "a zombie counts as alive"
            );
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }
}
