//! What holds for every input of the rooms that read what other programs have written.
//!
//! The programs in `fuzz/` call these functions with inputs of their own making, and the test below
//! with those that are kept there. Each one compares a room with a slower way to the same answer, or
//! with what follows from that answer, and panics where they differ.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    reason = "hidden, and a panic is the answer"
)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::cleanup::NAME_SIZE;
use crate::error::Error;
use crate::options::Options;
use crate::ownership::Ownership;
use crate::passing::Passed;
use crate::record::{self, Record};
use crate::sys::FileId;
use crate::{path, run_time};

/// A record is read as a reader would who goes from byte to byte.
pub fn record(bytes: &[u8]) {
    let read = record::parse(bytes);
    match (&read, slow_record(bytes)) {
        (Record::Foreign(why), None) => assert!(!why.is_empty()),
        (read, expected) => assert_eq!(Some(read), expected.as_ref()),
    }
    if let Some(pid) = read.pid() {
        assert!(i32::try_from(pid).is_ok_and(|pid| pid > 0));
        let longer = [bytes, b"\n"].concat();
        if longer.len() <= record::MOST {
            assert_eq!(
                record::parse(&longer),
                read,
                "an end of line is no difference"
            );
        }
    }
    // What is written for a process is read as that process.
    let number = bytes.first_chunk().map(|four| i32::from_le_bytes(*four));
    if let Some(pid) = number.filter(|pid| *pid > 0).map(i32::unsigned_abs) {
        let written = record::render(pid);
        assert_eq!(record::parse(written.as_bytes()), Record::Pid(pid));
    }
}

/// `None` if it is foreign.
fn slow_record(bytes: &[u8]) -> Option<Record> {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\x0c' | b'\n');
    if bytes.len() > record::MOST {
        return None;
    }
    if bytes.iter().all(|&byte| is_blank(byte) || byte == 0) {
        return Some(Record::Empty);
    }
    let mut number: Option<u64> = None;
    let mut has_ended = false;
    for &byte in bytes {
        match byte {
            b'0'..=b'9' if !has_ended => {
                let longer = number.unwrap_or(0) * 10 + u64::from(byte - b'0');
                number = Some(longer.min(u64::from(u32::MAX)));
            }
            b'\n' if number.is_none() => return None,
            byte if is_blank(byte) => has_ended = number.is_some(),
            _ => return None,
        }
    }
    let pid = i32::try_from(number?).ok().filter(|pid| *pid > 0)?;
    Some(Record::Pid(pid.unsigned_abs()))
}

/// A place is judged by the plain rules for paths and names.
///
/// The first byte says what the others are: `p` a path, `d` a directory, `n` a name, `N` a name that
/// gets no suffix, `a` what `argv[0]` contains, `r` `RUNTIME_DIRECTORY`, and `t` `TMPDIR`.
pub fn place(bytes: &[u8]) {
    let Some((kind, text)) = bytes.split_first() else {
        return;
    };
    let value = OsStr::from_bytes(text);
    let is_sound = !text.is_empty() && !text.contains(&0) && !is_for_a_shell(text);
    match kind {
        b'p' => {
            let slash = text.iter().rposition(|byte| *byte == b'/');
            let (parent, name) = text.split_at(slash.map_or(0, |slash| slash + 1));
            let place = (is_sound && is_name(name)).then(|| (parent, name.to_vec()));
            expect_place(&Options::new().path(value), place);
        }
        b'd' => {
            let place = is_sound.then(|| (text, b"it.pid".to_vec()));
            expect_place(&Options::new().dir(value).name("it"), place);
        }
        b'n' => expect_name(value, true),
        b'N' => expect_name(value, false),
        b'a' => {
            let name = path::name_called(value);
            let expected = components(text)
                .last()
                .copied()
                .filter(|name| *name != b"..");
            assert_eq!(name.as_deref().map(OsStr::as_bytes), expected);
            if let Some(name) = name {
                expect_name(&name, true);
            }
        }
        b'r' => {
            let first = text.split(|byte| *byte == b':').next().unwrap_or_default();
            match run_time::of_service(value) {
                Ok(path) => expect_usable(&path, first, 0o002),
                Err(Error::Config { .. }) => assert!(!first.starts_with(b"/")),
                Err(_) => assert!(first.starts_with(b"/")),
            }
        }
        b't' => {
            if let Some(path) = run_time::if_usable(value) {
                expect_usable(&path, text, 0o022);
                assert!(!path.is_symlink(), "{} is followed", path.display());
            }
        }
        _ => {}
    }
}

fn expect_name(name: &OsStr, has_suffix: bool) {
    let bytes = name.as_bytes();
    let mut file = bytes.to_vec();
    if has_suffix && !bytes.ends_with(b".pid") {
        file.extend(b".pid");
    }
    let is_sound = is_name(bytes) && !bytes.contains(&0) && bytes != b"~";
    let options = Options::new().dir("/run").name(name).dot_pid(has_suffix);
    expect_place(&options, is_sound.then_some((b"/run", file)));
}

/// The options mean this directory, as it was written, and this name in it; or they are refused.
fn expect_place(options: &Options, expected: Option<(&[u8], Vec<u8>)>) {
    let expected = expected.filter(|(_, name)| name.len() < NAME_SIZE);
    match (path::resolve(options), expected) {
        (Ok(place), Some((parent, name))) => {
            assert_eq!(place.name.as_bytes(), name);
            let here = std::env::current_dir().unwrap_or_default();
            let mut whole = components(here.as_os_str().as_bytes());
            if parent.starts_with(b"/") {
                whole.clear();
            }
            whole.extend(components(parent));
            whole.push(&name);
            let (path, _) = place.into_path_and_name();
            // As bytes, because two paths with different separators count as equal.
            let path = path.as_os_str().as_bytes();
            assert_eq!(path, [b"/", whole.join(&b'/').as_slice()].concat());
        }
        (Err(Error::Config { why }), None) => assert!(!why.contains('\0'), "{why:?}"),
        (resolved, expected) => panic!("{resolved:?} is not {expected:?}"),
    }
}

/// That directory is the one that was written, and only we and root can change what it is.
fn expect_usable(path: &Path, written: &[u8], not_for: u32) {
    assert!(written.starts_with(b"/"));
    assert_eq!(components(path.as_os_str().as_bytes()), components(written));
    // It may have gone since.
    if let Ok(meta) = fs::metadata(path) {
        assert!(
            meta.is_dir() && meta.mode() & not_for == 0,
            "{}",
            path.display()
        );
    }
    let ours = nix::unistd::geteuid().as_raw();
    for part in path.ancestors() {
        if let Ok(meta) = fs::symlink_metadata(part) {
            let is_trusted = meta.uid() == 0 || meta.uid() == ours;
            assert!(is_trusted || !meta.is_symlink(), "{}", part.display());
        }
    }
}

fn is_name(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes != b"." && bytes != b".." && !bytes.contains(&b'/')
}

fn is_for_a_shell(path: &[u8]) -> bool {
    path == b"~" || path.starts_with(b"~/")
}

fn components(path: &[u8]) -> Vec<&[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .collect()
}

/// A passed file is read as it was written, and only what may have been written so is read.
pub fn passed(bytes: &[u8]) {
    let text = OsStr::from_bytes(bytes);
    if let Some(passed) = Passed::parse(text) {
        assert!(passed.file >= 0 && passed.path.is_absolute());
        assert_eq!(passed.render(), text, "another text for the same");
        let mut options = Options::new().path(&passed.path).chmod(passed.mode);
        (options.uid, options.gid) = (passed.uid, passed.gid);
        let is_pidfiles = passed.mode & !0o664 == 0 && passed.mode & 0o600 == 0o600;
        let is_set = |id: Option<u32>| id != Some(u32::MAX);
        assert_eq!(
            Ownership::resolve(&options).is_ok(),
            is_pidfiles && is_set(passed.uid) && is_set(passed.gid)
        );
        place(&[b"p", passed.path.as_os_str().as_bytes()].concat());
    }
    let Some((head, path)) = bytes.split_first_chunk::<25>() else {
        return;
    };
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let long = |at: usize| u64::from(word(at)) << 32 | u64::from(word(at + 4));
    let flags = head[24];
    let made = Passed {
        file: (word(0) >> 1).try_into().unwrap_or_default(),
        id: FileId {
            dev: long(4),
            ino: long(12),
        },
        mode: word(20),
        uid: (flags & 8 != 0).then(|| word(4)),
        gid: (flags & 16 != 0).then(|| word(8)),
        at_exit: flags & 1 != 0,
        signals: flags & 2 != 0,
        in_place: flags & 4 != 0,
        path: Path::new("/").join(OsStr::from_bytes(path)),
    };
    assert_eq!(Passed::parse(&made.render()), Some(made));
}

/// The holder of a lock is found in what the kernel lists, and only there. The input is what `fdinfo`
/// has for a file, `mountinfo` and `/proc/locks`, with a line `--` between them.
#[cfg(target_os = "linux")]
pub fn locks(bytes: &[u8]) {
    use crate::lockers::proc::Inode;

    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, "--\n");
    let mut part = || parts.next().unwrap_or_default();
    let (info, mounts, locks) = (part(), part(), part());
    let Some(inode) = Inode::parse(info, mounts, || Some(1234)) else {
        return;
    };
    let name = inode.0.clone();
    let fields: Vec<&str> = name.split(':').collect();
    let [major, minor, number] = fields[..] else {
        panic!("{name} is not an inode of the kernel's");
    };
    let is_hex = |field: &str| field.len() >= 2 && u32::from_str_radix(field, 16).is_ok();
    assert!(
        is_hex(major) && is_hex(minor) && number.parse::<u64>().is_ok(),
        "{name}"
    );

    for line in locks.lines() {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let owner = match fields[..] {
            [_, "FLOCK", _, "WRITE", owner, file, ..] if file == name => Some(owner),
            _ => None,
        };
        assert_eq!(inode.is_locked_in(line), owner.is_some(), "{line}");
        let pid = owner.and_then(|owner| owner.parse().ok());
        assert_eq!(inode.locked_by(line), pid.filter(|pid| *pid > 0), "{line}");
    }
    let line =
        |kind: &str, access: &str| format!("9: {kind}  ADVISORY  {access} 4242 {name} 0 EOF");
    assert_eq!(inode.locked_by(&line("FLOCK", "WRITE")), Some(4242));
    assert_eq!(inode.locked_by(&line("FLOCK", "READ")), None);
    assert_eq!(inode.locked_by(&line("POSIX", "WRITE")), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls the property with every input that is kept for it.
    fn replay(name: &str, property: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
        if !folder.exists() {
            // A package on its own.
            println!("skipped: there is no corpus");
            return;
        }
        let inputs = fs::read_dir(folder.join("corpus").join(name)).unwrap();
        let mut count = 0;
        for input in inputs {
            let path = input.unwrap().path();
            println!("{}", path.display());
            property(&fs::read(path).unwrap());
            count += 1;
        }
        assert!(count >= 10, "{count} inputs");
    }

    #[test]
    fn records_are_what_a_slow_reader_says() {
        replay("record", record);
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `openat`")]
    fn places_are_what_plain_rules_say() {
        replay("place", place);
    }

    #[test]
    fn what_is_passed_is_read_as_it_was_written() {
        replay("passed", passed);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn lock_lists_are_read_field_by_field() {
        replay("locks", locks);
    }
}
