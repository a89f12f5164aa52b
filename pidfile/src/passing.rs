//! Pass a held file across exec: a descriptor that stays open, and a variable
//! that says which one it is.
//!
//! The variable proves nothing. The other side trusts it only if the descriptor
//! is open on the very file that has the name, and has the lock. A lock cannot be
//! forged: only a process that has held it can pass it on.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use nix::errno::Errno;
use nix::libc;
use nix::unistd::{Gid, Uid};

use crate::action::Action;
use crate::error::{Error, Result};
use crate::lockers;
use crate::open::{self, Access, Found};
use crate::options::Options;
use crate::ownership::Ownership;
use crate::path;
use crate::plan::Terms;
use crate::record::Record;
use crate::sys::{self, FileId, LockKind};
use crate::target::{Target, kind_of};

/// The name of the variable.
const VARIABLE: &str = "PIDFILE_INHERITED";

/// A held file on its way to the next program image.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) file: RawFd,
    pub(crate) id: FileId,
    pub(crate) mode: u32,
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) at_exit: bool,
    pub(crate) signals: bool,
    pub(crate) in_place: bool,
    pub(crate) path: PathBuf,
}

/// A held file that has arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) target: Target,
    pub(crate) found: Found,
    pub(crate) terms: Terms,
    pub(crate) in_place: bool,
}

/// Lets the command inherit the file.
pub(crate) fn send(passed: &Passed, command: &mut Command) {
    command.env(VARIABLE, passed.render());
    sys::inherit_by(command, passed.file, passed.id);
}

/// Takes what was passed to this image; `None` if nothing was, or if it was already taken.
pub(crate) fn receive() -> Result<Option<Arrived>> {
    static IS_TAKEN: AtomicBool = AtomicBool::new(false);

    // The caller of a privileged program chooses its variables, but must not choose its file.
    if sys::is_privileged_start() {
        return Ok(None);
    }
    let Some(value) = env::var_os(VARIABLE) else {
        return Ok(None);
    };
    if IS_TAKEN.swap(true, Relaxed) {
        return Ok(None);
    }
    sys::remove_variable(VARIABLE);
    let Some(passed) = Passed::parse(&value) else {
        return Err(Error::config(format!(
            "the variable {VARIABLE} was not set by `pass_to` ({}); unset it",
            value.to_string_lossy()
        )));
    };
    passed.check()
}

impl Passed {
    pub(crate) fn render(&self) -> OsString {
        let number = |number: Option<u32>| number.map_or("-".into(), |number| number.to_string());
        let flag = |set: bool| if set { 'y' } else { 'n' };
        let mut text = OsString::from(format!(
            "{}:{}:{}:{:o}:{}:{}:{}{}{}:",
            self.file,
            self.id.dev,
            self.id.ino,
            self.mode,
            number(self.uid),
            number(self.gid),
            flag(self.at_exit),
            flag(self.signals),
            flag(self.in_place),
        ));
        text.push(&self.path);
        text
    }

    pub(crate) fn parse(value: &OsStr) -> Option<Passed> {
        let mut fields = value.as_bytes().splitn(8, |byte| *byte == b':');
        let mut field = || fields.next();
        let text = |field: &[u8]| Some(std::str::from_utf8(field).ok()?.to_owned());
        let digits = |field: &[u8]| text(field).filter(|_| field.iter().all(u8::is_ascii_digit));
        let number = |field: &[u8]| match field {
            b"-" => Some(None),
            field => digits(field)?.parse().ok().map(Some),
        };
        let file = digits(field()?)?.parse().ok()?;
        let id = FileId {
            dev: digits(field()?)?.parse().ok()?,
            ino: digits(field()?)?.parse().ok()?,
        };
        let mode = u32::from_str_radix(&digits(field()?)?, 8).ok()?;
        let (uid, gid) = (number(field()?)?, number(field()?)?);
        let mut flags = field()?.iter().map(|flag| match flag {
            b'y' => Some(true),
            b'n' => Some(false),
            _ => None,
        });
        let mut flag = || flags.next().flatten();
        let (at_exit, signals, in_place) = (flag()?, flag()?, flag()?);
        let path = PathBuf::from(OsString::from_vec(field()?.to_vec()));
        let passed = Passed {
            file,
            id,
            mode,
            uid,
            gid,
            at_exit,
            signals,
            in_place,
            path,
        };
        // Another text for the same was not written by `render`, and may mean something else there.
        (passed.path.is_absolute() && passed.render() == value).then_some(passed)
    }

    /// Makes sure that everything it claims is true of what this image inherited.
    fn check(self) -> Result<Option<Arrived>> {
        let path = &self.path;
        // Not inherited by this image: the variable has outlived the program that it was set for.
        if !sys::is_inherited(self.file) {
            return Ok(None);
        }
        let refuse = |why: &str| Err(self.refusal(why));
        if self.file <= libc::STDERR_FILENO {
            return refuse("which is a standard stream");
        }
        let cannot = |errno: Errno| Error::io(Action::Inspect, path, errno);
        let stat = sys::stat(self.file).map_err(cannot)?;
        if stat.id != self.id || kind_of(&stat).is_some() {
            return refuse("which is open on another file");
        }
        let mut options = Options::new().path(path).chmod(self.mode);
        (options.uid, options.gid) = (self.uid, self.gid);
        let ownership = Ownership::resolve(&options)?;
        let target = Target::open_if_there(path::resolve(&options)?)?;
        let Some(target) = target else {
            return Err(Error::lost(path));
        };
        // Opened anew, for a lock of its own.
        let named = open::open(&target, Access::Look)?.filter(|named| named.id() == self.id);
        let Some(named) = named else {
            return Err(Error::lost(path));
        };
        let is_free = sys::flock(named.file.as_raw_fd(), LockKind::Shared).is_ok()
            && !lockers::has_locked_twin(&named.file, || None).map_err(cannot)?;
        named.unlock();
        if is_free {
            return refuse("which does not have the lock: the file is free");
        }
        // It is locked, so this succeeds only for the descriptor that has the lock.
        if sys::flock(self.file, LockKind::Exclusive).is_err() {
            return refuse("which does not have the lock: another process holds the file");
        }
        let pid = match named.read(&target)? {
            Record::Foreign(why) => return Err(target.not_a_pidfile(why)),
            Record::Empty => 0,
            Record::Pid(pid) => pid,
        };
        let file: OwnedFd = sys::own_inherited(self.file);
        Ok(Some(Arrived {
            target,
            found: Found::inherited(file).map_err(cannot)?,
            terms: Terms {
                pid,
                ownership,
                lock: true,
                at_exit: self.at_exit,
                signals: self.signals,
            },
            in_place: self.in_place,
        }))
    }

    fn refusal(&self, why: &str) -> Error {
        Error::config(format!(
            "the variable {VARIABLE} passes {} to process {} as descriptor {}, {why}; unset it and start again",
            self.path.display(),
            sys::pid(),
            self.file
        ))
    }

    /// Describes a file that is held on these terms.
    pub(crate) fn new(
        file: RawFd,
        id: FileId,
        terms: &Terms,
        in_place: bool,
        path: &Path,
    ) -> Passed {
        Passed {
            file,
            id,
            // The type is narrower on some systems.
            #[allow(clippy::useless_conversion, reason = "not on all systems")]
            mode: u32::from(terms.ownership.mode.bits()),
            uid: terms.ownership.uid.map(Uid::as_raw),
            gid: terms.ownership.gid.map(Gid::as_raw),
            at_exit: terms.at_exit,
            signals: terms.signals,
            in_place,
            path: path.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_is_read_as_it_was_written() {
        for (path, uid) in [("/run/it.pid", None), ("/a:b:/c d\u{e9}", Some(33))] {
            let passed = Passed {
                file: 7,
                id: FileId {
                    dev: 1,
                    ino: u64::MAX,
                },
                mode: 0o640,
                uid,
                gid: None,
                at_exit: true,
                signals: false,
                in_place: true,
                path: path.into(),
            };
            assert_eq!(Passed::parse(&passed.render()), Some(passed));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let good = "7:1:2:644:-:-:yyn:/run/it.pid";
        assert!(Passed::parse(good.as_ref()).is_some());
        for bad in [
            "",
            "7",
            "7:1:2:644:-:-:yyn",
            "x:1:2:644:-:-:yyn:/run/it.pid",
            "+7:1:2:644:-:-:yyn:/run/it.pid",
            "7:-1:2:644:-:-:yyn:/run/it.pid",
            "-1:1:2:644:-:-:yyn:/run/it.pid",
            "7:1:2:689:-:-:yyn:/run/it.pid",
            "7:1:2:644:root:-:yyn:/run/it.pid",
            "7:1:2:644:-:-:yy:/run/it.pid",
            "7:1:2:644:-:-:yyx:/run/it.pid",
            "7:1:2:644:-:-:yyny:/run/it.pid",
            "007:1:2:644:-:-:yyn:/run/it.pid",
            "7:1:2:0644:-:-:yyn:/run/it.pid",
            "7:1:2:644:-:-:yyn:run/it.pid",
            "99999999999:1:2:644:-:-:yyn:/run/it.pid",
        ] {
            assert_eq!(Passed::parse(bad.as_ref()), None, "{bad}");
        }
    }
}
