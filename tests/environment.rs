//! Which environment variables choose the place of the file, and when they are ignored.

use std::fs;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::{Path, PathBuf};

use crate::support::{OTHER_USER, Sandbox, Script, Snapshot, USER, is_root, names, set_mode};

/// Where a program with these steps puts its file, given these variables alone.
#[track_caller]
fn resolved(
    steps: &str,
    variables: &[(&'static str, &Path)],
    unprivileged: Option<&Sandbox>,
) -> PathBuf {
    let mut script = Script::new().steps(steps).steps("resolve");
    for name in ["RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "TMPDIR"] {
        script = script.without_env(name);
    }
    for (name, value) in variables {
        script = script.env(name, value);
    }
    if let Some(sandbox) = unprivileged {
        script = script.unprivileged(sandbox);
    }
    script.start().expect("resolved ").into()
}

#[test]
fn the_name_is_the_programs_own_by_default() {
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.path(name);
    let named = |argv0: &str, steps: &str| -> PathBuf {
        let script = Script::new().argv0(argv0).set("dir", sandbox.dir());
        script
            .steps(steps)
            .steps("resolve")
            .start()
            .expect("resolved ")
            .into()
    };
    assert_eq!(named("thermod", ""), at("thermod.pid"));
    assert_eq!(named("/usr/sbin/thermod", ""), at("thermod.pid"));
    assert_eq!(named("thermod", "dot_pid=false"), at("thermod"));
    assert_eq!(named("thermod", "name=other"), at("other.pid"));
    assert_eq!(named("thermod", "name=other.pid"), at("other.pid"));
    assert_eq!(named("thermod", "name=other.lock"), at("other.lock.pid"));
    assert_eq!(named("thermod", "name=other dot_pid=false"), at("other"));
}

#[test]
fn a_runtime_directory_of_ours_is_used() {
    let sandbox = Sandbox::new();
    let run = sandbox.folder("run", 0o755);
    let file = run.join("it.pid");
    assert_eq!(
        resolved("name=it", &[("RUNTIME_DIRECTORY", &run)], None),
        file
    );
    let two = PathBuf::from(format!("{}:/elsewhere", run.display()));
    assert_eq!(
        resolved("name=it", &[("RUNTIME_DIRECTORY", &two)], None),
        file,
        "the first entry"
    );
}

#[test]
fn an_xdg_runtime_dir_of_ours_is_used_by_an_ordinary_user() {
    let sandbox = Sandbox::new();
    let run = sandbox.folder("run", 0o700);
    if nix::unistd::geteuid().is_root() {
        chown(&run, Some(USER), Some(USER)).unwrap();
        let as_root = resolved("name=it", &[("XDG_RUNTIME_DIR", &run)], None);
        assert!(!as_root.starts_with(&run), "not by root");
    }
    let file = resolved("name=it", &[("XDG_RUNTIME_DIR", &run)], Some(&sandbox));
    assert_eq!(file, run.join("it.pid"));
}

#[test]
fn a_runtime_directory_is_reached_through_as_many_links_as_the_system_follows() {
    let sandbox = Sandbox::new();
    let dir = fs::canonicalize(sandbox.dir()).unwrap();
    let mut run = sandbox.folder("run", 0o755);
    for link in 0..40 {
        let path = dir.join(link.to_string());
        symlink(&run, &path).unwrap();
        run = path;
    }
    assert_eq!(
        resolved("name=it", &[("RUNTIME_DIRECTORY", &run)], None),
        run.join("it.pid")
    );
}

#[test]
fn a_directory_that_cannot_be_written_is_not_used() {
    let sandbox = Sandbox::new();
    let run = sandbox.folder("run", 0o500);
    if is_root() {
        chown(&run, Some(USER), Some(USER)).unwrap();
    }
    let file = resolved("name=it", &[("XDG_RUNTIME_DIR", &run)], Some(&sandbox));
    assert!(!file.starts_with(&run), "{}", file.display());
    // The one of a service has no substitute.
    let script = Script::new().env("RUNTIME_DIRECTORY", &run);
    let script = script.steps("name=it resolve").unprivileged(&sandbox);
    let refusal = script.refusal().expect("Io", 77);
    refusal.expect_message("correct the variable, or set `dir`");
}

/// Directories that no variable may choose.
fn unusable(sandbox: &Sandbox) -> Vec<PathBuf> {
    let open = sandbox.folder("open", 0o777);
    let sticky = sandbox.folder("sticky", 0o1777);
    let group = sandbox.folder("group", 0o775);
    symlink(sandbox.folder("behind", 0o755), sandbox.path("link")).unwrap();
    let file = sandbox.file("file", "");
    let mut paths = vec![
        open,
        sticky,
        group,
        sandbox.path("link"),
        // To the system these are what the link leads to.
        sandbox.path("link/"),
        sandbox.path("link/."),
        file,
        sandbox.path("missing"),
    ];
    if nix::unistd::geteuid().is_root() {
        let foreign = sandbox.folder("foreign", 0o755);
        chown(&foreign, Some(OTHER_USER), None).unwrap();
        paths.push(foreign);
    }
    // Relative to the directory that the programs here are started in.
    paths.push("programs".into());
    paths.push("".into());
    paths
}

#[track_caller]
fn assert_not_used(variable: &'static str, steps: &str, unprivileged: bool) {
    let sandbox = Sandbox::new();
    let paths = unusable(&sandbox);
    let before = sandbox.names();
    assert!(
        Path::new("programs").is_dir(),
        "tests run where their manifest is"
    );
    for path in paths {
        let file = resolved(
            steps,
            &[(variable, &path)],
            unprivileged.then_some(&sandbox),
        );
        assert!(
            !file.starts_with(sandbox.dir()),
            "{variable}={} is used",
            path.display()
        );
        assert!(
            !file.starts_with(env!("CARGO_MANIFEST_DIR")),
            "{variable}={} is used",
            path.display()
        );
        assert!(file.is_absolute());
    }
    let after: Vec<_> = sandbox
        .names()
        .into_iter()
        .filter(|name| name != "bin")
        .collect();
    assert_eq!(after, before);
}

#[test]
fn a_runtime_directory_is_not_reached_through_a_link_of_another_user() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let run = sandbox.folder("run", 0o755);
    let refused = |path: &Path| {
        let script = Script::new().env("RUNTIME_DIRECTORY", path);
        let refusal = script.steps("name=it acquire").refusal();
        refusal
            .expect("Insecure", 77)
            .expect_message("made by another user");
    };
    let link = |name: &str, target: &Path| {
        let path = sandbox.path(name);
        symlink(target, &path).unwrap();
        path
    };
    let theirs = link("theirs", &run);
    lchown(&theirs, Some(OTHER_USER), Some(OTHER_USER)).unwrap();
    refused(&theirs);
    // Links of root's that lead there, also in the middle of a path.
    refused(&link("absolute", &theirs));
    refused(&link("relative", Path::new("theirs")));
    refused(&link("twice", Path::new("relative")));
    let parent = link("parent", Path::new("up/theirs"));
    link("up", Path::new("."));
    refused(&parent);
    sandbox.folder("run/inner", 0o755);
    refused(&sandbox.path("relative").join("inner"));
    // And without a link of another user.
    let ours = link("ours", Path::new("up/run"));
    let ours = link("ours-too", &ours);
    assert_eq!(
        resolved("name=it", &[("RUNTIME_DIRECTORY", &ours)], None),
        ours.join("it.pid")
    );
}

#[test]
fn an_xdg_runtime_dir_that_is_relative_foreign_or_open_is_not_used() {
    assert_not_used("XDG_RUNTIME_DIR", "name=it", true);
}

#[test]
fn a_tmpdir_that_is_relative_foreign_or_open_is_not_used() {
    assert_not_used("TMPDIR", "name=it temp_dir=true", false);
}

#[test]
fn temp_dir_is_a_private_directory_below_a_tmpdir_of_ours() {
    let sandbox = Sandbox::new();
    let uid = nix::unistd::geteuid();
    let dir = sandbox.path(&format!("pidfile-{uid}"));
    let expected = dir.join("it.pid");
    let steps = "name=it temp_dir=true";
    assert_eq!(
        resolved(steps, &[("TMPDIR", sandbox.dir())], None),
        expected
    );
    sandbox.assert_names([]);

    let script = || Script::new().env("TMPDIR", sandbox.dir()).steps(steps);
    let mut program = script().steps("umask=0 acquire wait").start();
    program.expect_held(&expected);
    assert_eq!(Snapshot::of(&dir).mode, 0o700);
    drop(program);

    // If another user could have prepared it, it is not used.
    set_mode(&dir, 0o777);
    let refused = || {
        for step in ["acquire", "status"] {
            let refusal = script().steps(step).refusal();
            refusal.expect("Insecure", 77).expect_message(dir.display());
        }
    };
    refused();
    set_mode(&dir, 0o700);
    fs::remove_dir_all(&dir).unwrap();
    symlink(sandbox.folder("elsewhere", 0o700), &dir).unwrap();
    refused();
    assert!(names(&sandbox.path("elsewhere")).is_empty());
}

#[test]
fn a_program_that_was_started_set_uid_does_not_use_the_environment() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let program = sandbox.open_to_all();
    let run = sandbox.folder("run", 0o755);
    let start = |user| {
        let script = Script::new()
            .user(user, &program)
            .env("RUNTIME_DIRECTORY", &run);
        PathBuf::from(script.steps("name=it resolve").start().expect("resolved "))
    };
    chown(&run, Some(USER), Some(USER)).unwrap();
    assert_eq!(
        start(USER),
        run.join("it.pid"),
        "its own user may say where"
    );
    chown(&program, Some(USER), Some(USER)).unwrap();
    set_mode(&program, 0o4755);
    assert!(!start(OTHER_USER).starts_with(&run), "another user may not");
}

#[test]
fn the_private_directory_has_its_mode_whatever_the_umask() {
    let sandbox = Sandbox::new();
    let uid = nix::unistd::geteuid();
    let dir = sandbox.path(&format!("pidfile-{uid}"));
    let script = Script::new().env("TMPDIR", sandbox.dir());
    let steps = "umask=777 name=it temp_dir=true acquire wait";
    let mut program = script.steps(steps).start();
    program.expect_held(&dir.join("it.pid"));
    assert_eq!(Snapshot::of(&dir).mode, 0o700);
}
