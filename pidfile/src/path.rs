//! Resolve: what the caller wrote -> a directory and one name in it.
//!
//! The raw bytes are checked, because `Path` normalises: it takes the file name
//! of `x/` to be `x`, but a path that names a directory never means a pidfile.
//! Nothing is opened or created here; [`directory`](crate::directory) does
//! that.

use std::env;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use crate::action::Action;
use crate::cleanup::NAME_SIZE;
use crate::directory::Directory;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::{run_time, sys};

/// Where the pidfile goes.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) directory: Directory,
    pub(crate) name: CString,
}

impl Place {
    /// The whole path, absolute, and the name.
    pub(crate) fn into_path_and_name(self) -> (PathBuf, CString) {
        let mut path = self.directory.into_path();
        path.push(OsStr::from_bytes(self.name.to_bytes()));
        (path, self.name)
    }
}

/// Finds the place that the options and the environment specify now.
pub(crate) fn resolve(options: &Options) -> Result<Place> {
    let (directory, name) = if let Some(path) = &options.path {
        exclude("path", "name", options.name.is_some())?;
        exclude("path", "dir", options.dir.is_some())?;
        exclude("path", "temp_dir", options.temp_dir)?;
        let (parent, name) = split(path)?;
        (Directory::Existing(absolute(parent)?), name)
    } else {
        let name = file_name(options)?;
        exclude("dir", "temp_dir", options.dir.is_some() && options.temp_dir)?;
        let directory = match &options.dir {
            Some(dir) => Directory::MadeIfMissing(absolute(checked_directory(dir)?)?),
            None if options.temp_dir => run_time::temporary(),
            None => run_time::directory()?,
        };
        (directory, name)
    };
    if name.len() >= NAME_SIZE {
        return Err(Error::config(format!(
            "the file name of {} has {} bytes; the limit is {}",
            directory.path().join(&name).display(),
            name.len(),
            NAME_SIZE - 1
        )));
    }
    let Ok(name) = CString::new(name.into_vec()) else {
        return Err(Error::config("the file name contains a NUL byte"));
    };
    Ok(Place { directory, name })
}

fn exclude(one: &str, other: &str, both: bool) -> Result<()> {
    if both {
        return Err(Error::config(format!(
            "`{other}` cannot be combined with `{one}`"
        )));
    }
    Ok(())
}

/// Splits `a/b/c` into `a/b` and `c`.
fn split(path: &Path) -> Result<(&Path, OsString)> {
    let bytes = path.as_os_str().as_bytes();
    let start = bytes
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |slash| slash + 1);
    let (parent, name) = bytes.split_at(start);
    let why = match name {
        _ if bytes.contains(&0) => "contains a NUL byte",
        _ if bytes.is_empty() => "is empty",
        b"" => "ends in `/`; it must name the pidfile itself, not a directory",
        b"." | b".." => "names a directory; it must name the pidfile itself",
        _ if is_tilde(bytes) => TILDE,
        _ => {
            let parent = if parent.is_empty() { b"." } else { parent };
            return Ok((
                Path::new(OsStr::from_bytes(parent)),
                OsStr::from_bytes(name).to_owned(),
            ));
        }
    };
    Err(Error::config(format!("`path` {why}: {}", quoted(path))))
}

fn checked_directory(dir: &Path) -> Result<&Path> {
    let bytes = dir.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(Error::config("`dir` is empty"));
    }
    let why = if bytes.contains(&0) {
        "contains a NUL byte"
    } else if is_tilde(bytes) {
        TILDE
    } else {
        return Ok(dir);
    };
    Err(Error::config(format!("`dir` {why}: {}", quoted(dir))))
}

/// A shell would have expanded it, and a directory of that name is hardly ever meant.
const TILDE: &str = "begins with `~`, which only a shell expands; write the path in full, or `./~`";

fn is_tilde(path: &[u8]) -> bool {
    path == b"~" || path.starts_with(b"~/")
}

fn file_name(options: &Options) -> Result<OsString> {
    let mut name = match &options.name {
        Some(name) => name.clone(),
        None => program_name()?,
    };
    let why = match name.as_bytes() {
        b"" => "is empty",
        b"." | b".." => "names a directory",
        bytes if bytes.contains(&b'/') => "contains `/`; use `path`, or `dir` together with `name`",
        bytes if bytes.contains(&0) => "contains a NUL byte",
        b"~" => TILDE,
        bytes => {
            if options.dot_pid && !bytes.ends_with(b".pid") {
                name.push(".pid");
            }
            return Ok(name);
        }
    };
    Err(Error::config(format!(
        "`name` {why}: {}",
        quoted(name.as_ref())
    )))
}

/// The name by which the program was called, or else that of its executable. After a privileged
/// start the caller must not choose which file the default name means, so only the executable
/// counts.
fn program_name() -> Result<OsString> {
    let called = if sys::is_privileged_start() {
        None
    } else {
        env::args_os().next()
    };
    called
        .as_deref()
        .and_then(name_called)
        .or_else(|| env::current_exe().ok()?.file_name().map(OsStr::to_owned))
        .ok_or_else(|| Error::config("the name of the program is unknown; use `path` or `name`"))
}

/// The name in `argv[0]`, which a caller may fill with anything.
pub(crate) fn name_called(called: &OsStr) -> Option<OsString> {
    Path::new(called).file_name().map(OsStr::to_owned)
}

/// Resolves a relative path against the current directory. Components `..` are kept, because only
/// the system knows what they mean after a symbolic link.
fn absolute(path: &Path) -> Result<PathBuf> {
    let mut absolute = if path.is_absolute() {
        PathBuf::new()
    } else {
        env::current_dir().map_err(|source| {
            Error::io(Action::Resolve, path, source).advise(|_| {
                Some("the current directory cannot be determined; use an absolute path".into())
            })
        })?
    };
    absolute.reserve_exact(path.as_os_str().len() + 1);
    // By components, to drop what means nothing: `.`, and slashes that are doubled or at the end.
    let components = path.components();
    absolute.extend(components.filter(|component| *component != Component::CurDir));
    Ok(absolute)
}

/// Quotes a path with escapes, because what is wrong with it may be invisible.
fn quoted(path: &Path) -> String {
    format!("{:?}", path.as_os_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a string, because two paths that differ in `.` and slashes count as equal.
    fn path_of(options: &Options) -> OsString {
        let (path, _) = resolve(options).unwrap().into_path_and_name();
        path.into_os_string()
    }

    fn refusal_of(options: &Options) -> String {
        match resolve(options) {
            Err(Error::Config { why }) => why,
            other => panic!("{options:?} is {other:?}"),
        }
    }

    #[test]
    fn a_path_is_taken_as_it_is_written() {
        for (path, tidy) in [
            ("/run/app.pid", "/run/app.pid"),
            ("/a/../b/./c", "/a/../b/c"),
            ("//run///app.pid", "/run/app.pid"),
            ("/./x", "/x"),
        ] {
            assert_eq!(path_of(&Options::new().path(path)), tidy);
        }
        let here = env::current_dir().unwrap();
        for (path, tidy) in [
            ("x.pid", "x.pid"),
            ("a/x.pid", "a/x.pid"),
            ("../x.pid", "../x.pid"),
            ("./x.pid", "x.pid"),
            ("a/.//./x.pid", "a/x.pid"),
        ] {
            assert_eq!(path_of(&Options::new().path(path)), here.join(tidy));
        }
    }

    #[test]
    fn a_path_that_names_no_file_is_refused_by_name() {
        for (path, reason) in [
            ("", "is empty"),
            ("/", "ends in `/`"),
            ("x/", "ends in `/`"),
            ("/run/", "ends in `/`"),
            (".", "names a directory"),
            ("..", "names a directory"),
            ("x/.", "names a directory"),
            ("/run/..", "names a directory"),
            ("x\0y", "contains a NUL byte"),
            ("x\0/y", "contains a NUL byte"),
        ] {
            let why = refusal_of(&Options::new().path(path));
            assert!(why.starts_with(&format!("`path` {reason}")), "{why}");
            assert!(why.ends_with(&format!(": {path:?}")), "{why}");
        }
    }

    #[test]
    fn a_name_gets_its_suffix_once() {
        let options = Options::new().dir("/run");
        for (name, file) in [("app", "/run/app.pid"), ("app.pid", "/run/app.pid")] {
            assert_eq!(path_of(&options.clone().name(name)), file);
        }
        assert_eq!(path_of(&options.name("app").dot_pid(false)), "/run/app");
    }

    #[test]
    fn a_name_that_is_no_single_component_is_refused() {
        for name in ["", ".", "..", "a/b", "/", "a\0b"] {
            let why = refusal_of(&Options::new().dir("/run").name(name));
            assert!(why.starts_with("`name` "), "{why}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri does not know `getauxval`")]
    fn the_default_name_is_the_programs() {
        let exe = env::current_exe().unwrap();
        let mut name = exe.file_name().unwrap().to_owned();
        name.push(".pid");
        assert_eq!(
            path_of(&Options::new().dir("/run")),
            Path::new("/run").join(name)
        );
    }

    #[test]
    fn a_name_longer_than_any_file_systems_is_refused() {
        let longest = "x".repeat(255);
        assert!(resolve(&Options::new().path(format!("/run/{longest}"))).is_ok());
        let why = refusal_of(&Options::new().path(format!("/run/{longest}x")));
        assert!(why.contains("256 bytes"), "{why}");
        // The suffix counts.
        refusal_of(&Options::new().dir("/run").name("x".repeat(252)));
    }

    #[test]
    fn options_that_say_the_same_thing_twice_are_refused() {
        let path = Options::new().path("/run/app.pid");
        for (options, names) in [
            (
                path.clone().name("app"),
                "`name` cannot be combined with `path`",
            ),
            (
                path.clone().dir("/run"),
                "`dir` cannot be combined with `path`",
            ),
            (
                path.temp_dir(true),
                "`temp_dir` cannot be combined with `path`",
            ),
            (
                Options::new().name("app").dir("/run").temp_dir(true),
                "`temp_dir` cannot be combined with `dir`",
            ),
        ] {
            assert_eq!(refusal_of(&options), names);
        }
    }
}
