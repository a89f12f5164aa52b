//! Anything that is not a pidfile is refused by name and left as it is. Looking at it neither hangs
//! nor fills the memory.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use nix::libc::O_NONBLOCK;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use pidfile::{Error, Options, PidFile, Status};

use crate::support::{Sandbox, Snapshot, holder, needs, refused};

/// What the message says of it, unless it is a regular file.
fn kind_of(path: &Path) -> Option<&'static str> {
    let kind = fs::symlink_metadata(path).unwrap().file_type();
    let kinds = [
        (kind.is_symlink(), "it is a symbolic link"),
        (kind.is_dir(), "it is a directory"),
        (kind.is_fifo(), "it is a FIFO"),
        (kind.is_socket(), "it is a socket"),
        (kind.is_char_device(), "it is a device"),
    ];
    kinds.iter().find_map(|(is, name)| is.then_some(*name))
}

/// That a start and a probe both report that it is not a pidfile, and that neither changes it.
#[track_caller]
fn assert_not_a_pidfile(path: &Path, what: &str) {
    let before = Snapshot::of(path);
    let error = refused(PidFile::acquire(path));
    assert!(
        matches!(error, Error::NotPidfile { .. }),
        "{what}: {error:?}"
    );
    assert_eq!(error.path(), Some(path), "{what}");
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{what}: {error}"
    );
    if let Some(kind) = kind_of(path) {
        let text = format!(" is not a pidfile: {kind}; it was left untouched");
        assert!(error.to_string().contains(&text), "{what}: {error}");
    }
    assert_eq!(error.exit_code(), 73);
    assert!(!error.is_running());
    assert_eq!(Snapshot::of(path), before, "{what}: after acquire");

    for options in [Options::new().lock(false), Options::new().refuse_live(true)] {
        let error = refused(options.path(path).acquire());
        assert!(
            matches!(error, Error::NotPidfile { .. }),
            "{what}: {error:?}"
        );
        assert_eq!(
            Snapshot::of(path),
            before,
            "{what}: after acquire with other options"
        );
    }

    let status = Options::new().path(path).status().unwrap();
    assert_eq!(status, Status::NotPidfile, "{what}");
    assert_eq!(Snapshot::of(path), before, "{what}: after status");
}

#[track_caller]
fn assert_not_a_record(bytes: impl AsRef<[u8]>) {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", &bytes);
    assert_not_a_pidfile(&path, &String::from_utf8_lossy(bytes.as_ref()));
    assert_eq!(fs::read(&path).unwrap(), bytes.as_ref());
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn numbers_that_no_process_can_have_are_refused() {
    assert_not_a_record("-1\n");
    assert_not_a_record("0\n");
    assert_not_a_record("000\n");
    assert_not_a_record("2147483648\n");
    assert_not_a_record("4294967297\n"); // 1, if 32 bits were kept
    assert_not_a_record("18446744073709551617\n"); // 1, if 64 bits were kept
    assert_not_a_record(format!("1{}\n", "0".repeat(30)));
}

#[test]
fn numbers_that_are_not_written_in_digits_alone_are_refused() {
    for bytes in ["+5\n", "0x10\n", "1e3\n", "1_000\n", "1.0\n", "1,000\n"] {
        assert_not_a_record(bytes);
    }
}

#[test]
fn unicode_digits_are_refused() {
    assert_not_a_record("\u{661}\u{662}\u{663}\n"); // Arabic
    assert_not_a_record("\u{ff11}\u{ff12}\u{ff13}\n"); // full width
    assert_not_a_record("\u{a0}123\n"); // a blank that is not ASCII
}

#[test]
fn nuls_beside_digits_are_refused() {
    // NULs alone are stale.
    assert_not_a_record("123\0\n");
    assert_not_a_record("\x00123\n");
    assert_not_a_record("12\x003\n");
}

#[test]
fn binary_is_refused() {
    assert_not_a_record(b"\x7fELF\x02\x01\x01\x00");
    assert_not_a_record([0xff, 0xfe, b'1', b'\n']);
    // Some old daemons wrote the four bytes of the number.
    assert_not_a_record(1234_i32.to_ne_bytes());
}

#[test]
fn a_text_file_is_refused() {
    assert_not_a_record("[section]\nkey = value\n");
    assert_not_a_record("pid: 123\n");
}

#[test]
fn a_number_followed_by_a_text_is_refused() {
    assert_not_a_record("123 is my number\n");
    assert_not_a_record("123abc\n");
    assert_not_a_record("123\nand a second line\n");
    assert_not_a_record("123\n456\n");
    assert_not_a_record("12 3\n");
}

#[test]
fn a_text_beyond_the_first_page_is_refused() {
    assert_not_a_record(format!("123\n{}text\n", "\n".repeat(8192)));
    assert_not_a_record("1".repeat(1 << 20));
}

#[test]
fn a_symlink_to_a_file_is_refused() {
    let sandbox = Sandbox::new();
    let target = sandbox.file("target", "2147483647\n");
    let before = Snapshot::of(&target);
    symlink(&target, sandbox.pidfile()).unwrap();
    assert_not_a_pidfile(&sandbox.pidfile(), "a symlink to a stale pidfile");
    assert_eq!(Snapshot::of(&target), before);
    sandbox.assert_names(["it.pid", "target"]);
}

#[test]
fn a_dangling_symlink_is_refused_and_its_target_not_created() {
    let sandbox = Sandbox::new();
    symlink(sandbox.path("target"), sandbox.pidfile()).unwrap();
    assert_not_a_pidfile(&sandbox.pidfile(), "a dangling symlink");
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn a_symlink_to_itself_is_refused() {
    let sandbox = Sandbox::new();
    symlink("it.pid", sandbox.pidfile()).unwrap();
    assert_not_a_pidfile(&sandbox.pidfile(), "a symlink to itself");
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn a_fifo_is_refused_at_once_with_and_without_peers() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    mkfifo(&path, Mode::from_bits_truncate(0o644)).unwrap();

    // In another process, which can be killed if it hangs.
    holder(&path)
        .steps("acquire")
        .refusal()
        .expect("NotPidfile", 73);
    assert_not_a_pidfile(&path, "a FIFO without peers");

    let reader = OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK)
        .open(&path)
        .unwrap();
    assert_not_a_pidfile(&path, "a FIFO with a reader");
    let mut writer = File::options().write(true).open(&path).unwrap();
    assert_not_a_pidfile(&path, "a FIFO with both");
    std::io::Write::write_all(&mut writer, b"2147483647\n").unwrap();
    let before = Snapshot::of(&path);
    let error = refused(PidFile::acquire(&path));
    assert!(matches!(error, Error::NotPidfile { .. }), "{error:?}");
    assert_eq!(Snapshot::of(&path), before);
    // What was written is still there for its reader.
    let mut bytes = [0; 32];
    let length = std::io::Read::read(&mut &reader, &mut bytes).unwrap();
    assert_eq!(&bytes[..length], b"2147483647\n");
    drop(reader);
    assert_not_a_pidfile(&path, "a FIFO with a writer");
    drop(writer);
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn a_directory_is_refused() {
    let sandbox = Sandbox::new();
    let path = sandbox.folder("it.pid", 0o755);
    assert_not_a_pidfile(&path, "an empty directory");
    fs::write(path.join("inside"), "kept").unwrap();
    assert_not_a_pidfile(&path, "a directory with a file");
    sandbox.assert_names(["it.pid"]);
}

#[test]
fn a_socket_is_refused() {
    let sandbox = Sandbox::new();
    let listener = UnixListener::bind(sandbox.pidfile()).unwrap();
    assert_not_a_pidfile(&sandbox.pidfile(), "a socket with a listener");
    drop(listener);
    assert_not_a_pidfile(&sandbox.pidfile(), "a socket without a listener");
}

#[test]
fn the_null_device_is_refused() {
    use nix::sys::stat::{SFlag, mknod, stat};

    let sandbox = Sandbox::new();
    if nix::unistd::geteuid().is_root() {
        // A copy of the node: root could damage the real one.
        let path = sandbox.pidfile();
        let null = stat("/dev/null").unwrap().st_rdev;
        let made = mknod(&path, SFlag::S_IFCHR, Mode::from_bits_truncate(0o666), null);
        if needs(made.is_ok(), "device nodes") {
            assert_not_a_pidfile(&path, "a copy of /dev/null");
            sandbox.assert_names(["it.pid"]);
        }
    } else {
        assert_not_a_pidfile("/dev/null".as_ref(), "/dev/null");
    }
}

#[test]
fn a_sparse_file_of_a_terabyte_is_refused_in_constant_memory() {
    let sandbox = Sandbox::new();
    let path = sandbox.file("it.pid", "");
    let grown = OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1 << 40);
    if !needs(grown.is_ok(), "a file system with files of 1 TiB") {
        return;
    }
    let before = Snapshot::of(&path);
    holder(&path)
        .steps("limit-memory=268435456 acquire")
        .refusal()
        .expect("NotPidfile", 73);
    assert_eq!(Snapshot::of(&path), before);
    assert_not_a_pidfile(&path, "a sparse file");

    // The same if it begins like a pidfile.
    std::io::Write::write_all(
        &mut File::options().write(true).open(&path).unwrap(),
        b"123\n",
    )
    .unwrap();
    holder(&path)
        .steps("limit-memory=268435456 acquire")
        .refusal()
        .expect("NotPidfile", 73);
    assert_not_a_pidfile(&path, "a sparse file that begins with a number");
}

/// The memory of the process itself is a regular file, and has nothing at its beginning.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_an_error_at_once() {
    holder("/proc/self/mem")
        .steps("status")
        .refusal()
        .expect("Io", 73)
        .expect_message("cannot read");
}
