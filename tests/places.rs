//! Where the file goes, and which directories are made for it.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, chown, lchown, symlink};

use pidfile::{Error, Options, PidFile, Status};

use crate::support::{OTHER_USER, Sandbox, Script, Snapshot, holder, is_root, names, refused};

#[test]
fn a_path_in_a_missing_directory_is_an_error_that_names_the_directory() {
    let sandbox = Sandbox::new();
    let missing = sandbox.path("missing");
    let error = refused(PidFile::acquire(missing.join("it.pid")));
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    assert_eq!(error.path(), Some(missing.as_path()));
    assert!(
        error.to_string().contains(missing.to_str().unwrap()),
        "{error}"
    );
    let advice = "create it first, or use `dir`, which creates missing directories";
    assert!(error.to_string().ends_with(advice), "{error}");
    assert_eq!(error.exit_code(), 73);
    sandbox.assert_names([]);
}

#[test]
fn a_path_whose_parent_is_a_file_is_refused_and_the_file_left_alone() {
    let sandbox = Sandbox::new();
    let parent = sandbox.file("parent", "2147483647\n");
    let before = Snapshot::of(&parent);
    for options in [
        Options::new().path(parent.join("it.pid")),
        Options::new().dir(&parent).name("it"),
        Options::new().dir(parent.join("below")).name("it"),
    ] {
        let error = refused(options.acquire());
        assert!(
            matches!(error, Error::Io { .. } | Error::Insecure { .. }),
            "{error:?}"
        );
        assert!(
            error.to_string().contains(parent.to_str().unwrap()),
            "{error}"
        );
    }
    assert_eq!(Snapshot::of(&parent), before);
    sandbox.assert_names(["parent"]);
}

#[test]
fn a_path_that_is_not_utf_8_works() {
    if !cfg!(target_os = "linux") {
        return; // other systems refuse such a name
    }
    let sandbox = Sandbox::new();
    let path = sandbox
        .dir()
        .join(OsStr::from_bytes(b"caf\xe9-\xff\xfe.pid"));
    let guard = PidFile::acquire(&path).unwrap();
    assert_eq!(guard.path(), path);
    assert_eq!(sandbox.names(), [path.file_name().unwrap()]);
    let error = refused(PidFile::acquire(&path));
    assert_eq!(error.path(), Some(path.as_path()));
    drop(guard);

    let dir = sandbox.dir().join(OsStr::from_bytes(b"\xc3\x28"));
    let guard = Options::new()
        .dir(&dir)
        .name(OsStr::from_bytes(b"\xff"))
        .acquire()
        .unwrap();
    assert_eq!(guard.path(), dir.join(OsStr::from_bytes(b"\xff.pid")));
    drop(guard);
    assert_eq!(names(&dir), Vec::<std::ffi::OsString>::new());
}

#[test]
fn a_missing_dir_is_made_with_all_its_components() {
    let sandbox = Sandbox::new();
    let dir = sandbox.path("a/b/c");
    let mut program = Script::new()
        .set("dir", &dir)
        .steps("umask=022 name=it acquire wait")
        .start();
    program.expect_held(&dir.join("it.pid"));
    for made in ["a", "a/b", "a/b/c"] {
        let facts = fs::symlink_metadata(sandbox.path(made)).unwrap();
        assert_eq!(facts.mode() & 0o7777, 0o755, "{made}");
    }
    program.tell();
    program.expect_exit(0);
    assert!(names(&dir).is_empty(), "the file goes, its directory stays");
}

#[test]
fn a_dir_that_is_there_is_used_as_it_is() {
    let sandbox = Sandbox::new();
    let dir = sandbox.folder("run", 0o700);
    let guard = Options::new().dir(&dir).name("it").acquire().unwrap();
    assert_eq!(guard.path(), dir.join("it.pid"));
    assert_eq!(Snapshot::of(&dir).mode, 0o700);
}

#[test]
fn a_dir_is_not_made_below_one_that_others_can_write_unless_it_is_sticky() {
    let sandbox = Sandbox::new();
    for mode in [0o777, 0o775, 0o770] {
        let open = sandbox.folder(&format!("{mode:o}"), mode);
        let error = refused(Options::new().dir(open.join("a/b")).name("it").acquire());
        assert!(
            matches!(error, Error::Insecure { .. }),
            "{mode:o}: {error:?}"
        );
        assert_eq!(error.exit_code(), 77);
        assert!(
            error.to_string().contains(open.to_str().unwrap()),
            "{error}"
        );
        assert!(names(&open).is_empty());
    }
}

#[test]
fn a_dir_is_not_made_in_a_strangers_directory() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let foreign = sandbox.folder("foreign", 0o755);
    chown(&foreign, Some(OTHER_USER), None).unwrap();
    let error = refused(Options::new().dir(foreign.join("run")).name("it").acquire());
    assert!(matches!(error, Error::Insecure { .. }), "{error:?}");
    assert!(names(&foreign).is_empty());
}

#[test]
fn a_dir_is_not_made_through_a_strangers_symlink() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let shared = sandbox.folder("shared", 0o1777);
    let victim = sandbox.folder("victim", 0o755);
    let link = shared.join("app");
    symlink(&victim, &link).unwrap();
    lchown(&link, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    for dir in [link.join("run"), link.join("run/deeper")] {
        let error = refused(Options::new().dir(&dir).name("it").acquire());
        assert!(
            matches!(error, Error::Insecure { .. } | Error::Io { .. }),
            "{error:?}"
        );
        assert!(
            names(&victim).is_empty(),
            "nothing is made where the link leads"
        );
    }
    // The same where the last component is the link itself, and leads nowhere yet.
    let dangling = shared.join("dangling");
    symlink(victim.join("made"), &dangling).unwrap();
    lchown(&dangling, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    refused(Options::new().dir(&dangling).name("it").acquire());
    assert!(names(&victim).is_empty());
}

#[test]
fn the_refusal_to_make_a_dir_says_who_may_write_above_it() {
    for (mode, owner, why) in [
        (0o777, None, "any user can write to it"),
        (0o757, None, "any user can write to it"),
        (0o775, None, "its group can write to it"),
        (0o755, Some(OTHER_USER), "another user controls it"),
    ] {
        let sandbox = Sandbox::new();
        let parent = sandbox.folder("parent", mode);
        if owner.is_some() {
            if !is_root() {
                return;
            }
            chown(&parent, owner, None).unwrap();
        }
        let error = refused(Options::new().dir(parent.join("new")).name("it").acquire());
        let text = error.to_string();
        assert!(matches!(error, Error::Insecure { .. }), "{error:?}");
        assert!(
            text.contains(&format!(": {why} (it belongs to user ")),
            "{text}"
        );
        assert!(text.contains(&format!(" and has mode {mode:o})")), "{text}");
        assert!(names(&parent).is_empty());
    }
}

#[test]
fn below_a_dir_that_is_made_as_many_links_are_followed_as_the_system_follows() {
    let sandbox = Sandbox::new();
    let end = sandbox.folder("link-0", 0o755);
    for number in 1..=41 {
        let target = format!("link-{}", number - 1);
        symlink(target, sandbox.path(&format!("link-{number}"))).unwrap();
    }
    symlink("round", sandbox.path("round")).unwrap();
    // The system stops at what is missing, and the links are up to us.
    let behind = |link: &str| {
        Options::new()
            .dir(sandbox.path("new/..").join(link))
            .name("it")
    };
    for link in ["link-41", "round"] {
        let error = refused(behind(link).acquire());
        assert!(matches!(error, Error::Io { .. }), "{error:?}");
        // "Too many levels of symbolic links", or with musl "Symbolic link loop".
        let text = format!("{error:#}").to_lowercase();
        assert!(text.contains("symbolic link"), "{text}");
        fs::remove_dir(sandbox.path("new")).unwrap();
    }
    let guard = behind("link-40").acquire().unwrap();
    assert!(end.join("it.pid").exists());
    guard.release().unwrap();
}

#[test]
fn looking_creates_nothing() {
    let sandbox = Sandbox::new();
    let options = Options::new().dir(sandbox.path("a/b")).name("it");
    assert_eq!(options.resolved_path().unwrap(), sandbox.path("a/b/it.pid"));
    assert_eq!(options.status().unwrap(), Status::Absent);
    sandbox.assert_names([]);
}

#[test]
fn a_relative_path_starts_at_the_current_directory_of_the_call() {
    let sandbox = Sandbox::new();
    let first = sandbox.folder("first", 0o755);
    let mut program = holder("it.pid")
        .steps("acquire wait")
        .current_dir(&first)
        .start();
    program.expect_held(&first.join("it.pid"));
    // Set before the directory was changed, read after it.
    let second = sandbox.folder("second", 0o755);
    let mut other = holder("it.pid")
        .set("chdir", &second)
        .steps("acquire wait")
        .current_dir(&first)
        .start();
    other.expect_held(&second.join("it.pid"));
}
