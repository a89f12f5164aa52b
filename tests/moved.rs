//! A holder's surroundings change while it holds: its directory, its root, its user, or the file
//! itself.

use std::fs;
use std::os::unix::fs::{chown, symlink};
use std::path::Path;

use nix::sys::signal::Signal::{self, SIGTERM};
use pidfile::{Error, Options, PidFile};

use crate::support::{
    Program, Sandbox, Snapshot, USER, holder, is_locked, is_root, names, set_mode,
};

/// The ends that follow every change: the steps of the program, and a signal.
const ENDS: [(&str, Option<Signal>); 4] = [
    ("release", None),
    ("", None),
    ("forget exit=0", None),
    ("forget", Some(SIGTERM)),
];

/// Lets it end once it is ready.
#[track_caller]
fn end(mut program: Program, signal: Option<Signal>) {
    program.expect("ready");
    program.end(signal);
}

/// A program that holds the path, takes `steps`, and then waits for its end.
#[track_caller]
fn started(path: &Path, sandbox: &Sandbox, steps: &str, ending: &str) -> Program {
    let steps = format!("acquire {steps} say=ready wait {ending}");
    let mut program = holder(path)
        .steps_in(sandbox.dir(), &steps)
        .current_dir(sandbox.dir())
        .start();
    program.expect("held ");
    program
}

#[test]
fn after_chdir_the_file_is_removed() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        sandbox.folder("elsewhere", 0o755);
        let decoy = sandbox.file("elsewhere/it.pid", "not ours");
        let program = started("it.pid".as_ref(), &sandbox, "chdir=DIR/elsewhere", ending);
        end(program, signal);
        sandbox.assert_names(["elsewhere"]);
        assert_eq!(fs::read(decoy).unwrap(), b"not ours");
    }
}

#[test]
fn after_chroot_the_file_is_removed() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        if !is_root() {
            return;
        }
        sandbox.folder("root", 0o755);
        let program = started(&sandbox.pidfile(), &sandbox, "chroot=DIR/root", ending);
        end(program, signal);
        sandbox.assert_names(["root"]);
    }
}

#[test]
fn after_its_directory_was_renamed_the_file_is_removed() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        let folder = sandbox.folder("run", 0o755);
        let program = started(&folder.join("it.pid"), &sandbox, "", ending);
        fs::rename(&folder, sandbox.path("moved")).unwrap();
        end(program, signal);
        assert!(names(&sandbox.path("moved")).is_empty());
    }
}

#[test]
fn after_dropped_privileges_the_file_is_removed_where_that_is_allowed() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        if !is_root() {
            return;
        }
        let folder = sandbox.folder("run", 0o755);
        chown(&folder, Some(USER), None).unwrap();
        set_mode(sandbox.dir(), 0o755);
        let become_user = format!("become={USER}");
        let program = started(&folder.join("it.pid"), &sandbox, &become_user, ending);
        end(program, signal);
        assert!(names(&folder).is_empty());
    }
}

#[test]
fn after_dropped_privileges_the_file_is_emptied_where_removal_is_refused() {
    for (ending, signal) in ENDS {
        // With a directory that may be looked at, and with one that may not.
        for mode in [0o755, 0o700] {
            let sandbox = Sandbox::new();
            if !is_root() {
                return;
            }
            let folder = sandbox.folder("run", mode);
            let path = folder.join("it.pid");
            let become_user = format!("become={USER}");
            let program = started(&path, &sandbox, &become_user, ending);
            let held = Snapshot::of(&path);
            end(program, signal);
            let left = Snapshot::of(&path);
            assert_eq!(
                (left.inode, left.bytes.as_slice()),
                (held.inode, &b""[..]),
                "{ending} {signal:?}"
            );
            assert!(!is_locked(&path));
            PidFile::acquire(&path).unwrap().release().unwrap();
            assert!(names(&folder).is_empty());
        }
    }
}

#[test]
fn release_after_dropped_privileges_reports_success_and_frees_the_lock() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = sandbox.folder("run", 0o755).join("it.pid");
    let steps = format!("become={USER} release");
    let mut program = started(&path, &sandbox, &steps, "");
    program.expect("released");
    program.expect("ready");
    assert!(!is_locked(&path), "though the process lives");
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn an_emptied_file_is_free_though_a_forked_child_has_a_copy_of_everything() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = sandbox.folder("run", 0o755).join("it.pid");
    let steps = format!("fork=say:forked,wait become={USER} release");
    let mut program = holder(&path)
        .steps(&format!("acquire {steps} say=ready wait"))
        .start();
    program.expect("held ");
    let mut lines = [program.line(), program.line(), program.line()].map(Option::unwrap_or_default);
    lines.sort();
    assert_eq!(lines, ["forked", "ready", "released"]);
    assert!(!is_locked(&path));
    PidFile::acquire(&path).unwrap().release().unwrap();
}

/// That a file which replaced the held one stays as it is, however the holder ends.
#[track_caller]
fn assert_left_alone(replace: impl Fn(&Sandbox, &Path)) {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let program = started(&path, &sandbox, "", ending);
        replace(&sandbox, &path);
        let before = Snapshot::of(&path);
        let listing = sandbox.names();
        end(program, signal);
        assert_eq!(Snapshot::of(&path), before, "{ending} {signal:?}");
        assert_eq!(sandbox.names(), listing);
    }
}

#[test]
fn a_file_that_replaced_ours_is_left_alone() {
    assert_left_alone(|_, path| {
        fs::remove_file(path).unwrap();
        fs::write(path, "2147483647\n").unwrap();
    });
}

#[test]
fn a_file_that_was_renamed_over_ours_is_left_alone() {
    assert_left_alone(|sandbox, path| {
        let theirs = sandbox.file("theirs", format!("{}\n", std::process::id()));
        fs::rename(theirs, path).unwrap();
    });
}

#[test]
fn release_says_that_the_name_means_another_file_now() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let guard = PidFile::acquire(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "2147483647\n").unwrap();
    let before = Snapshot::of(&path);
    let error = guard.release().unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    assert_eq!(
        (error.path(), error.exit_code()),
        (Some(path.as_path()), 71)
    );
    assert_eq!(Snapshot::of(&path), before);
}

#[test]
fn a_symlink_to_our_own_file_is_left_alone() {
    assert_left_alone(|sandbox, path| {
        fs::rename(path, sandbox.path("moved")).unwrap();
        symlink("moved", path).unwrap();
    });
}

#[test]
fn a_directory_that_replaced_our_file_is_left_alone() {
    assert_left_alone(|_, path| {
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
    });
}

#[test]
fn a_holder_that_replaced_us_keeps_its_file_and_lock() {
    for (ending, signal) in ENDS {
        let sandbox = Sandbox::new();
        let path = sandbox.pidfile();
        let first = started(&path, &sandbox, "", ending);
        // An administrator's `rm` lets a second instance in.
        fs::remove_file(&path).unwrap();
        let second = sandbox.hold();
        let before = Snapshot::of(&path);
        end(first, signal);
        assert_eq!(Snapshot::of(&path), before);
        assert!(is_locked(&path));
        let error = crate::support::refused(Options::new().path(&path).acquire());
        assert_eq!(error.pid(), Some(second.pid()));
    }
}

#[test]
fn a_file_that_was_only_removed_is_no_trouble_at_the_end() {
    let sandbox = Sandbox::new();
    let guard = PidFile::acquire(sandbox.pidfile()).unwrap();
    fs::remove_file(sandbox.pidfile()).unwrap();
    guard.release().expect("nothing is left to do");
    for (ending, signal) in ENDS {
        let program = started(&sandbox.pidfile(), &sandbox, "", ending);
        fs::remove_file(sandbox.pidfile()).unwrap();
        end(program, signal);
        sandbox.assert_names([]);
    }
}
