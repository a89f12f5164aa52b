//! Facts about a process id: is somebody there, and which program is it.
//!
//! They serve messages, `refuse_live` and `lock(false)`. The lock needs none of
//! them. Neither looks at clocks or start times: a step of the clock would rob a
//! living owner.

use nix::errno::Errno;
use nix::sys::signal;
use nix::unistd::Pid;

/// Whether a process of that number lives. A zombie does not: it runs nothing any more.
///
/// # Platform-specific behavior
///
/// Zombies, and threads whose number looks like a process's, are recognised on Linux with `/proc`.
pub(crate) fn is_alive(pid: u32) -> bool {
    let Ok(raw) = i32::try_from(pid) else {
        return false;
    };
    match signal::kill(Pid::from_raw(raw), None) {
        Err(Errno::ESRCH) => false,
        // EPERM says that it is there and belongs to somebody else.
        _ => proc::runs(pid).unwrap_or(true),
    }
}

/// The process's command name, fit for a message.
pub(crate) fn name(pid: u32) -> Option<String> {
    let name = proc::command(pid)?;
    Some(
        name.chars()
            .map(|c| if c.is_control() { '?' } else { c })
            .collect(),
    )
}

/// Whether that process provably runs another program than this one. What cannot be read proves
/// nothing.
pub(crate) fn is_another_program(pid: u32) -> bool {
    match (proc::executable(pid), proc::executable(std::process::id())) {
        (Some(theirs), Some(ours)) => theirs != ours,
        _ => match (proc::command(pid), proc::command(std::process::id())) {
            (Some(theirs), Some(ours)) => theirs != ours,
            _ => false,
        },
    }
}

#[cfg(target_os = "linux")]
mod proc {
    use std::ffi::OsString;
    use std::fs;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};

    /// Whether the number is a process's and it is not a zombie; `None` where /proc does not say.
    pub(super) fn runs(pid: u32) -> Option<bool> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field = |key: &str| {
            status
                .lines()
                .find_map(|line| line.strip_prefix(key))
                .map(str::trim_ascii_start)
        };
        // kill(2) takes a thread's number as well, and so does /proc.
        let is_process = field("Tgid:")? == pid.to_string();
        let is_dead = field("State:")?.starts_with(['Z', 'X']);
        Some(is_process && !is_dead)
    }

    pub(super) fn command(pid: u32) -> Option<String> {
        let name = fs::read(format!("/proc/{pid}/comm")).ok()?;
        Some(String::from_utf8_lossy(name.trim_ascii_end()).into_owned())
    }

    /// The file name of the executable. Not its path or inode: an upgrade changes both, and the
    /// program stays the same.
    pub(super) fn executable(pid: u32) -> Option<OsString> {
        let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let name = path.file_name()?.as_bytes();
        // What the kernel appends to the path of a file that was replaced or removed.
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
    fn this_process_lives_and_is_itself() {
        let me = std::process::id();
        assert!(is_alive(me));
        assert!(!is_another_program(me));
    }

    #[test]
    fn a_number_that_no_process_has_is_dead() {
        // One more than the largest pid_max that Linux allows, and what kill would take for a
        // group of processes.
        assert!(!is_alive(4_194_305));
        assert!(!is_alive(u32::MAX));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_zombie_is_dead_and_a_stranger_is_another_program() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        // `spawn` returns after the exec.
        assert!(is_alive(child.id()));
        assert!(is_another_program(child.id()));
        assert_eq!(name(child.id()).as_deref(), Some("sleep"));
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
