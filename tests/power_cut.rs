//! What a power cut or `echo "" >` leaves, is stale: bytes that say nothing.

use std::fs;

use pidfile::{Options, Status};

use crate::support::{Sandbox, Snapshot, holder, set_mode};

/// Contents without a word. A power cut leaves NULs on ext2, ext3 and with `data=writeback`.
fn contents() -> Vec<Vec<u8>> {
    let mut contents: Vec<Vec<u8>> = [
        &b"\n"[..],
        b" ",
        b"\r\n",
        b"\n\n\n",
        b" \t \r\n \n",
        b"\0",
        b"\0\0\0\0\0",
        b"\0\n",
        b" \0 \0\r\n",
    ]
    .map(<[u8]>::to_vec)
    .to_vec();
    contents.extend([vec![0; 4096], vec![b'\n'; 4096], vec![b' '; 4095]]);
    contents
}

#[test]
fn nuls_blanks_and_line_ends_alone_are_stale() {
    let sandbox = Sandbox::new();
    for bytes in contents() {
        for settings in ["", "refuse_live=true", "lock=false", "patience=max"] {
            let path = sandbox.file("it.pid", &bytes);
            let before = Snapshot::of(&path);
            let status = Options::new().path(&path).status().unwrap();
            assert_eq!(status, Status::Stale { pid: None }, "{bytes:?}");
            // As after a clean stop where the file could only be emptied.
            assert_eq!(status.exit_code(), 3, "{bytes:?}");
            assert_eq!(Snapshot::of(&path), before, "a probe changes nothing");

            let script = holder(&path).steps(settings).steps("acquire wait");
            let mut program = script.start();
            program.expect_held(&path);
            let record = fs::read_to_string(&path).unwrap();
            assert_eq!(record, format!("{}\n", program.pid()));
            program.tell();
            program.expect_exit(0);
            sandbox.assert_names([]);
        }
    }
}

#[test]
fn nuls_are_overwritten_in_place_where_the_directory_cannot_be_written() {
    let sandbox = Sandbox::new();
    for bytes in contents() {
        let folder = sandbox.folder("run", 0o755);
        let path = folder.join("it.pid");
        fs::write(&path, &bytes).unwrap();
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(&path, Some(crate::support::USER), None).unwrap();
        }
        set_mode(&folder, 0o555);
        let script = holder(&path).steps("acquire wait").unprivileged(&sandbox);
        let mut program = script.start();
        program.expect_held(&path);
        let record = fs::read_to_string(&path).unwrap();
        assert_eq!(record, format!("{}\n", program.pid()), "no NUL is left");
        program.tell();
        program.expect_exit(0);
        set_mode(&folder, 0o755);
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_held_file_of_nuls_is_held() {
    let sandbox = Sandbox::new();
    for bytes in contents() {
        let path = sandbox.file("it.pid", &bytes);
        let lock = crate::support::lock(&path, nix::fcntl::FlockArg::LockExclusive);
        let refusal = holder(&path).steps("acquire").refusal();
        refusal.expect("Locked", 75).expect_pid(None);
        assert_eq!(fs::read(&path).unwrap(), bytes);
        drop(lock);
    }
}
