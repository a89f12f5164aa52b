//! The owner, group and mode of the published file: the ids and names in the
//! options are checked here, and later applied to a file.

use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::libc;
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Gid, Group, Uid, User, fchown};

use crate::action::Action;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::sys::{self, Stat};

/// The owner must be able to write the next record.
const LEAST: u32 = 0o600;
/// Other users must not write to it: the record decides which process is thought to be running.
const MOST: u32 = 0o664;

impl Options {
    /// Sets the owner of the file by user id. It cannot be combined with [`owner`](Options::owner).
    ///
    /// A stale file that belongs to this user is taken over as well. `u32::MAX`, which means
    /// "unchanged" to `chown`, is [`Config`](crate::Error::Config).
    ///
    /// Default: unchanged; the file belongs to the user of this process.
    ///
    /// # Platform-specific behavior
    ///
    /// Giving the file to another user takes privileges: on Linux `CAP_CHOWN`, and with
    /// `fs.protected_hardlinks` also `CAP_FOWNER`. Giving it to a group that this process is not in
    /// takes `CAP_CHOWN`.
    pub fn uid(mut self, uid: u32) -> Options {
        self.uid = Some(uid);
        self
    }

    /// Sets the group of the file by group id. It cannot be combined with
    /// [`group`](Options::group).
    ///
    /// `u32::MAX`, which means "unchanged" to `chown`, is [`Config`](crate::Error::Config). See
    /// [`uid`](Options::uid) for the privileges that a change takes.
    ///
    /// Default: unchanged.
    pub fn gid(mut self, gid: u32) -> Options {
        self.gid = Some(gid);
        self
    }

    /// Sets the owner of the file by user name. It cannot be combined with [`uid`](Options::uid).
    /// An unknown name is [`Config`](crate::Error::Config). The rest is as for
    /// [`uid`](Options::uid).
    ///
    /// Default: unchanged; the file belongs to the user of this process.
    pub fn owner(mut self, owner: impl AsRef<str>) -> Options {
        self.owner = Some(owner.as_ref().to_owned());
        self
    }

    /// Sets the group of the file by name. It cannot be combined with [`gid`](Options::gid). An
    /// unknown name is [`Config`](crate::Error::Config). See [`uid`](Options::uid) for the
    /// privileges that a change takes.
    ///
    /// Default: unchanged.
    pub fn group(mut self, group: impl AsRef<str>) -> Options {
        self.group = Some(group.as_ref().to_owned());
        self
    }
}

/// The user, group and mode of the file to publish.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ownership {
    pub(crate) uid: Option<Uid>,
    pub(crate) gid: Option<Gid>,
    pub(crate) mode: Mode,
}

impl Ownership {
    /// Checks the options and looks up the names.
    pub(crate) fn resolve(options: &Options) -> Result<Ownership> {
        Ok(Ownership {
            uid: user(options)?.map(Uid::from_raw),
            gid: group(options)?.map(Gid::from_raw),
            mode: mode(options.chmod)?,
        })
    }

    /// Changes what differs from `stat`, the file's metadata.
    pub(crate) fn apply(
        &self,
        file: impl AsFd,
        stat: &Stat,
    ) -> std::result::Result<(), (Action, Errno)> {
        // The mode first: a file that has been given away can no longer be changed.
        if stat.permissions() != self.mode.bits() {
            sys::retry(|| fchmod(&file, self.mode)).map_err(|errno| (Action::SetMode, errno))?;
        }
        let uid = self.uid.filter(|uid| uid.as_raw() != stat.uid);
        let gid = self.gid.filter(|gid| gid.as_raw() != stat.gid);
        if uid.is_some() || gid.is_some() {
            sys::retry(|| fchown(&file, uid, gid)).map_err(|errno| (Action::SetOwner, errno))?;
        }
        Ok(())
    }
}

fn mode(mode: u32) -> Result<Mode> {
    let why = if mode & !MOST != 0 {
        "may allow at most 0o664"
    } else if mode & LEAST != LEAST {
        "must allow at least 0o600"
    } else {
        // The nine bits are the same everywhere; only the width of the type differs.
        #[allow(
            clippy::cast_possible_truncation,
            reason = "mode_t has 16 bits on some systems"
        )]
        return Ok(Mode::from_bits_truncate(mode as libc::mode_t));
    };
    // A forgotten `0o`: hardly anyone who writes 600 means 0o1130.
    let digits = mode.to_string();
    let is_meant = u32::from_str_radix(&digits, 8)
        .is_ok_and(|octal| octal & !MOST == 0 && octal & LEAST == LEAST);
    let hint = if is_meant {
        format!("; did you mean 0o{digits}?")
    } else {
        String::new()
    };
    Err(Error::config(format!(
        "`chmod` of a pidfile {why}, not {mode:#o}{hint}"
    )))
}

fn user(options: &Options) -> Result<Option<u32>> {
    named(
        "uid",
        options.uid,
        "owner",
        options.owner.as_deref(),
        |name| Ok(User::from_name(name)?.map(|user| user.uid.as_raw())),
    )
}

fn group(options: &Options) -> Result<Option<u32>> {
    named(
        "gid",
        options.gid,
        "group",
        options.group.as_deref(),
        |name| Ok(Group::from_name(name)?.map(|group| group.gid.as_raw())),
    )
}

fn named(
    number_key: &str,
    number: Option<u32>,
    name_key: &str,
    name: Option<&str>,
    look_up: impl FnOnce(&str) -> nix::Result<Option<u32>>,
) -> Result<Option<u32>> {
    match (number, name) {
        (Some(_), Some(_)) => Err(Error::config(format!(
            "`{name_key}` cannot be combined with `{number_key}`"
        ))),
        // To chown(2), -1 means "unchanged".
        (Some(u32::MAX), None) => Err(Error::config(format!(
            "`{number_key}` is out of range: the largest is {}",
            u32::MAX - 1
        ))),
        (number, None) => Ok(number),
        (None, Some(name)) => match look_up(name) {
            Ok(Some(id)) => Ok(Some(id)),
            Ok(None) => Err(Error::config(format!(
                "`{name_key}` {name:?} does not exist on this system; to give a number, use `{number_key}`"
            ))),
            Err(errno) => Err(Error::config(format!(
                "`{name_key}` {name:?} could not be looked up: {errno}"
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_exact_or_refused() {
        for bits in [0o600, 0o604, 0o620, 0o640, 0o644, 0o660, 0o664] {
            // As text, because the number has another width on other systems.
            let exact = format!("{:o}", mode(bits).unwrap().bits());
            assert_eq!(exact, format!("{bits:o}"));
        }
        for bits in [
            0, 0o400, 0o444, 0o200, 0o666, 0o646, 0o700, 0o777, 0o1600, 0o4600, 600,
        ] {
            assert!(matches!(mode(bits), Err(Error::Config { .. })), "{bits:o}");
        }
    }

    #[test]
    fn a_mode_without_its_prefix_is_recognised() {
        let hint = |bits| {
            let message = mode(bits).unwrap_err().to_string();
            message.split("; did you mean ").nth(1).map(str::to_owned)
        };
        assert_eq!(hint(600), Some("0o600?".to_owned()));
        assert_eq!(hint(644), Some("0o644?".to_owned()));
        // These would be refused as well.
        for bits in [444, 666, 777, 0o777, 0, 8] {
            assert_eq!(hint(bits), None, "{bits}");
        }
    }

    #[test]
    fn a_name_and_a_number_exclude_each_other() {
        let both = Options::new().uid(0).owner("root");
        assert!(matches!(
            Ownership::resolve(&both),
            Err(Error::Config { .. })
        ));
        let both = Options::new().gid(0).group("root");
        assert!(matches!(
            Ownership::resolve(&both),
            Err(Error::Config { .. })
        ));
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `getpwnam_r`")]
    fn a_user_is_found_by_name() {
        let root = Ownership::resolve(&Options::new().owner("root")).unwrap();
        assert_eq!(root.uid, Some(Uid::from_raw(0)));
        for name in ["no such user", "", "a\0b"] {
            let unknown = Options::new().owner(name);
            assert!(matches!(
                Ownership::resolve(&unknown),
                Err(Error::Config { .. })
            ));
        }
    }

    #[test]
    fn the_number_that_means_unchanged_is_refused() {
        for options in [Options::new().uid(u32::MAX), Options::new().gid(u32::MAX)] {
            assert!(matches!(
                Ownership::resolve(&options),
                Err(Error::Config { .. })
            ));
        }
    }
}
