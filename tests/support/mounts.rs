//! File systems that a test mounts in its sandbox.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use nix::mount::{MntFlags, umount2};

use super::Sandbox;
use super::system::needs;

/// Where Debian puts the server of sftp.
const SFTP_SERVER: &str = "/usr/lib/openssh/sftp-server";

/// A mounted file system, unmounted when it is dropped. It must be dropped before its sandbox.
#[derive(Debug)]
pub(crate) struct Mount {
    dir: PathBuf,
}

impl Mount {
    /// Runs a command that mounts a file system on the folder `mnt`. `None` if it does not, because
    /// the program or the kernel lacks it.
    pub(crate) fn by<S: AsRef<OsStr>>(sandbox: &Sandbox, command: &[S]) -> Option<Mount> {
        let dir = sandbox.path("mnt");
        if !dir.exists() {
            fs::create_dir(&dir).expect("a mount point");
        }
        let mut words = command.iter().map(AsRef::as_ref);
        let program = words.next().expect("a program");
        let mounted = Command::new(program)
            .args(words)
            .current_dir(sandbox.dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let words: Vec<_> = command
            .iter()
            .map(|word| word.as_ref().to_string_lossy())
            .collect();
        let what = format!("a kernel that mounts by `{}`", words.join(" "));
        if !needs(mounted.is_ok_and(|status| status.success()), &what) {
            return None;
        }
        assert!(is_mount_point(&dir), "{what}");
        Some(Mount { dir })
    }

    /// Makes a file system in a file and mounts it.
    pub(crate) fn image(sandbox: &Sandbox, make: &str, size: u64) -> Option<Mount> {
        let image = sandbox.path("image");
        fs::File::create(&image)
            .and_then(|file| file.set_len(size))
            .expect("a sparse file");
        let words: Vec<_> = make.split(' ').collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(&image);
        let outcome = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !needs(outcome.is_ok_and(|status| status.success()), words[0]) {
            return None;
        }
        let kind = words[0].trim_start_matches("mkfs.");
        Mount::by(
            sandbox,
            &["mount", "-t", kind, "-o", "loop", "image", "mnt"],
        )
    }

    /// A folder of the sandbox, encrypted by `gocryptfs`.
    pub(crate) fn gocryptfs(sandbox: &Sandbox) -> Option<Mount> {
        sandbox.folder("encrypted", 0o755);
        let command = "echo word | gocryptfs -q -init -scryptn 10 encrypted && \
                       echo word | gocryptfs -q -allow_other encrypted mnt";
        Mount::by(sandbox, &["sh", "-c", command])
    }

    /// A folder of the sandbox, by way of `sshfs` and a server that it reaches on the loopback
    /// device.
    pub(crate) fn sshfs(sandbox: &Sandbox, from: &Path) -> Option<Mount> {
        if !needs(Path::new(SFTP_SERVER).exists(), "an sftp server") {
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on the loopback device");
        let port = listener.local_addr().expect("it is bound").port();
        // It serves one connection, and ends with it.
        thread::spawn(move || {
            let Ok((connection, _)) = listener.accept() else {
                return;
            };
            let output = OwnedFd::from(connection.try_clone().expect("dup"));
            let server = Command::new(SFTP_SERVER)
                .stdin(OwnedFd::from(connection))
                .stdout(output)
                .stderr(Stdio::null())
                .spawn();
            if let Ok(mut server) = server {
                let _ = server.wait();
            }
        });
        let source = format!("127.0.0.1:{}", from.display());
        let option = format!("directport={port}");
        Mount::by(sandbox, &["sshfs", "-o", &option, &source, "mnt"])
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Unmounts it while it is used.
    pub(crate) fn detach(&self) {
        umount2(&self.dir, MntFlags::MNT_DETACH).expect("umount --lazy");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Fails if the test has unmounted it.
        let _ = umount2(&self.dir, MntFlags::MNT_DETACH);
    }
}

fn is_mount_point(dir: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/self/mounts").expect("/proc");
    let dir = dir.to_str().expect("a plain name");
    mounts
        .lines()
        .any(|line| line.split(' ').nth(1) == Some(dir))
}

/// Whether a program is installed; if not, says so.
pub(crate) fn has_program(name: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()));
    needs(found, name)
}
