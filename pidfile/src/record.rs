//! The file's bytes, and the process id they stand for. Pure.
//!
//! A record is `"{pid}\n"`. Variants that other programs write are read too, as
//! long as they can only be a pidfile: blanks around the number, a carriage
//! return, a missing newline, blank lines below. Anything else is another
//! program's data.

/// The most bytes that are read of a file. A record has at most eleven.
pub(crate) const MOST: usize = 4096;

/// Process ids are positive, and fit into an `int` on every system.
const LARGEST: u32 = i32::MAX.unsigned_abs();

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    /// Nothing but blanks, line ends and NULs: the file was emptied instead of removed, or lost its
    /// content in a power cut.
    Empty,
    /// The id of a process.
    Pid(u32),
    /// Not a record, for this reason.
    Foreign(String),
}

impl Record {
    /// The process that the record names, if it names one.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self {
            Record::Pid(pid) => Some(*pid),
            Record::Empty | Record::Foreign(_) => None,
        }
    }
}

/// The record of a process.
pub(crate) fn render(pid: u32) -> String {
    format!("{pid}\n")
}

/// Parses a file's first bytes, at most one more than [`MOST`].
pub(crate) fn parse(bytes: &[u8]) -> Record {
    if bytes.len() > MOST {
        return foreign(format!("it is larger than {MOST} bytes"));
    }
    // Some file systems allocate before they write, and so leave NULs after a power cut.
    if bytes
        .iter()
        .all(|byte| byte.is_ascii_whitespace() || *byte == 0)
    {
        return Record::Empty;
    }
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default().trim_ascii();
    if first.is_empty() {
        return foreign("its first line is blank");
    }
    if !first.iter().all(u8::is_ascii_digit) {
        return foreign("its first line is not a process id");
    }
    if lines.any(|line| !line.trim_ascii().is_empty()) {
        return foreign("it contains more than a process id");
    }
    // Digits are valid UTF-8. A number that overflows is not an id either.
    let number = std::str::from_utf8(first)
        .ok()
        .and_then(|digits| digits.parse().ok());
    match number {
        Some(pid @ 1..=LARGEST) => Record::Pid(pid),
        _ => foreign("its number cannot be a process id"),
    }
}

fn foreign(why: impl Into<String>) -> Record {
    Record::Foreign(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        for pid in [1, 42, 4_194_304, 2_147_483_647] {
            assert_eq!(parse(render(pid).as_bytes()), Record::Pid(pid));
        }
        assert_eq!(render(7), "7\n");
    }

    #[test]
    fn what_other_programs_write_is_read_too() {
        for bytes in [
            "123",
            "123\n",
            " 123\n",
            "123 \n",
            "\t123\t\n",
            "123\r\n",
            "00123\n",
            "123\n\n",
            "123\n \n\t\r\n",
        ] {
            assert_eq!(parse(bytes.as_bytes()), Record::Pid(123), "{bytes:?}");
        }
        let zeros = "0".repeat(MOST - 3) + "123";
        assert_eq!(parse(zeros.as_bytes()), Record::Pid(123));
    }

    #[test]
    fn a_file_without_a_letter_is_empty() {
        for bytes in ["", "\n", " ", "\0", "\t\r\n", "\0\0\0\n", "\n\n\n"] {
            assert_eq!(parse(bytes.as_bytes()), Record::Empty, "{bytes:?}");
        }
        assert_eq!(parse(&[0; MOST]), Record::Empty);
    }

    #[test]
    fn everything_else_is_another_programs() {
        let large = "1".repeat(MOST + 1);
        for bytes in [
            "\n123\n",
            "-1",
            "0",
            "+5",
            "0x10",
            "1e3",
            "2147483648",
            "1 2",
            "12\n13",
            "1\0",
            "\x001",
            "pid",
            "\u{661}\u{662}",
            "1000000000000000000000000000000",
            "123\nroot",
            &large,
        ] {
            assert!(
                matches!(parse(bytes.as_bytes()), Record::Foreign(_)),
                "{bytes:?}"
            );
        }
        assert!(matches!(parse(b"\xff\xfe"), Record::Foreign(_)));
    }
}
