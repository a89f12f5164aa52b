//! Options that contradict each other or make no sense are an error, and nothing is created.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use pidfile::{Error, Options};

use crate::support::{Sandbox, holder, refused};

/// That a start reports a mistake of the program.
#[track_caller]
fn assert_config(what: &str, options: &Options) {
    let error = refused(options.acquire());
    assert!(matches!(error, Error::Config { .. }), "{what}: {error:?}");
    assert_eq!(
        (error.exit_code(), error.path(), error.is_running()),
        (78, None, false)
    );
    assert!(!error.to_string().is_empty());
}

/// That a start is refused, and not because of another process.
#[track_caller]
fn assert_refused(what: &str, options: &Options) {
    let error = refused(options.acquire());
    assert!(
        matches!(error, Error::Config { .. } | Error::Io { .. }),
        "{what}: {error:?}"
    );
}

#[test]
fn an_empty_path_is_refused() {
    let sandbox = Sandbox::new();
    assert_refused("an empty path", &Options::new().path(""));
    holder("")
        .steps("acquire")
        .current_dir(sandbox.dir())
        .refusal()
        .expect_one_of(&["Config", "Io"]);
    sandbox.assert_names([]);
}

#[test]
fn a_path_that_names_no_file_is_refused() {
    let sandbox = Sandbox::new();
    let dir = sandbox.dir().to_str().unwrap().to_owned();
    sandbox.folder("there", 0o755);
    for end in [
        "x/", "x//", "x/.", "x/./", ".", "..", "", "there/", "there/.", "there/..", "x/..",
    ] {
        let path = PathBuf::from(format!("{dir}/{end}"));
        assert_refused(end, &Options::new().path(&path));
        assert_refused(end, &Options::new().path(&path).lock(false));
        sandbox.assert_names(["there"]);
    }
    assert_refused("the root", &Options::new().path("/"));
    assert!(crate::support::names(&sandbox.path("there")).is_empty());
}

#[test]
fn a_relative_path_that_names_no_file_is_refused() {
    let sandbox = Sandbox::new();
    for path in [".", "..", "./", "../", "x/", "x/.", "x/.."] {
        holder(path)
            .steps("acquire")
            .current_dir(sandbox.dir())
            .refusal()
            .expect_one_of(&["Config", "Io"]);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_nul_in_a_path_or_name_is_refused() {
    let sandbox = Sandbox::new();
    assert_refused("path", &Options::new().path(sandbox.path("a\0b.pid")));
    assert_refused(
        "in the directory",
        &Options::new().path(sandbox.path("a\0b/it.pid")),
    );
    assert_refused("dir", &Options::new().dir(sandbox.path("a\0b")).name("it"));
    assert_refused("name", &Options::new().dir(sandbox.dir()).name("a\0b"));
    sandbox.assert_names([]);
}

#[test]
fn a_name_of_256_bytes_is_refused_and_one_of_255_is_not() {
    let sandbox = Sandbox::new();
    let name = |length: usize| "n".repeat(length - 4) + ".pid";
    assert_refused("256", &Options::new().path(sandbox.path(&name(256))));
    assert_refused("256", &Options::new().dir(sandbox.dir()).name(name(256)));
    // `.pid` is what makes it too long.
    assert_refused(
        "254",
        &Options::new().dir(sandbox.dir()).name("n".repeat(254)),
    );
    sandbox.assert_names([]);

    let path = sandbox.path(&name(255));
    let guard = Options::new().path(&path).acquire().unwrap();
    assert!(path.exists());
    drop(guard);
    sandbox.assert_names([]);
}

#[test]
fn a_name_that_is_not_a_file_name_is_refused() {
    let sandbox = Sandbox::new();
    sandbox.folder("below", 0o755);
    let inside = Options::new().dir(sandbox.dir());
    for name in ["", "below/it", "../it", "/it", "below/"] {
        assert_refused(name, &inside.clone().name(name));
        assert_refused(name, &inside.clone().name(name).dot_pid(false));
    }
    for name in [".", ".."] {
        assert_refused(name, &inside.clone().name(name).dot_pid(false));
    }
    sandbox.assert_names(["below"]);
    assert!(crate::support::names(&sandbox.path("below")).is_empty());
}

#[test]
fn a_path_excludes_name_dir_and_temp_dir() {
    let sandbox = Sandbox::new();
    let path = Options::new().path(sandbox.pidfile());
    assert_config("path with name", &path.clone().name("other"));
    assert_config("path with dir", &path.clone().dir(sandbox.dir()));
    assert_config("path with temp_dir", &path.clone().temp_dir(true));
    sandbox.assert_names([]);
}

#[test]
fn a_dir_excludes_temp_dir() {
    let sandbox = Sandbox::new();
    assert_config(
        "dir with temp_dir",
        &Options::new()
            .dir(sandbox.path("run"))
            .temp_dir(true)
            .name("it"),
    );
    sandbox.assert_names([]);
}

#[test]
fn an_owner_is_given_by_number_or_by_name() {
    let sandbox = Sandbox::new();
    let path = Options::new().path(sandbox.pidfile());
    assert_config("uid with owner", &path.clone().uid(0).owner("root"));
    assert_config("gid with group", &path.clone().gid(0).group("root"));
    sandbox.assert_names([]);
}

#[test]
fn a_mode_that_endangers_the_file_or_its_holder_is_refused() {
    let sandbox = Sandbox::new();
    let path = Options::new().path(sandbox.pidfile());
    let for_others_to_write = [0o666, 0o602, 0o646, 0o777];
    let not_for_us = [0, 0o400, 0o200, 0o044, 0o464];
    let not_a_files = [
        0o755,
        0o700,
        0o601,
        0o4644,
        0o2644,
        0o1644,
        0o10644,
        0o100_644,
        u32::MAX,
    ];
    for mode in for_others_to_write
        .into_iter()
        .chain(not_for_us)
        .chain(not_a_files)
    {
        assert_config(&format!("chmod {mode:o}"), &path.clone().chmod(mode));
    }
    sandbox.assert_names([]);
}

#[test]
fn every_terminal_call_reports_options_that_exclude_each_other() {
    let sandbox = Sandbox::new();
    let path = Options::new().path(sandbox.pidfile());
    for options in [
        path.clone().name("other"),
        path.clone().dir(sandbox.dir()),
        path.clone().temp_dir(true),
        Options::new()
            .dir(sandbox.path("run"))
            .temp_dir(true)
            .name("it"),
        path.clone().uid(0).owner("root"),
        path.clone().gid(0).group("root"),
    ] {
        let what = format!("{options:?}");
        assert_config(&what, &options);
        let error = options.resolved_path().expect_err(&what);
        assert!(
            matches!(error, Error::Config { .. }),
            "{what}, resolved_path: {error:?}"
        );
        let error = options.status().expect_err(&what);
        assert!(
            matches!(error, Error::Config { .. }),
            "{what}, status: {error:?}"
        );
    }
    sandbox.assert_names([]);
}

#[test]
fn an_unknown_user_or_group_is_refused() {
    let sandbox = Sandbox::new();
    let path = Options::new().path(sandbox.pidfile());
    for name in ["no-such-name", "", "a\0b"] {
        for options in [path.clone().owner(name), path.clone().group(name)] {
            let error = refused(options.acquire());
            assert!(matches!(error, Error::Config { .. }), "{name:?}: {error:?}");
            assert_eq!(error.exit_code(), 78);
        }
    }
    sandbox.assert_names([]);
}

#[test]
fn setters_take_anything_and_the_last_one_counts() {
    let sandbox = Sandbox::new();
    let options = Options::new()
        .chmod(u32::MAX)
        .chmod(0o600)
        .path("")
        .path(sandbox.pidfile());
    let guard = options.acquire().unwrap();
    assert_eq!(guard.path(), sandbox.pidfile());
    drop(guard);
    // Any bytes may be a name.
    let odd = sandbox.dir().join(OsStr::from_bytes(b" \n\xff*.pid"));
    if cfg!(target_os = "linux") {
        drop(Options::new().path(&odd).acquire().unwrap());
    }
    sandbox.assert_names([]);
}
