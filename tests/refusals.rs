//! What a refusal says about the process in the way: its program, its user, whether it is suspended,
//! and no name where none is certain.

use std::fs;
use std::os::unix::fs::chown;
use std::process::{Command, ExitCode};

use nix::fcntl::FlockArg;
use nix::sys::signal::Signal;
use pidfile::{Error, PidFile};

use crate::support::{
    Sandbox, Stranger, USER, eventually, holder, is_locked, is_root, lock, needs, refused,
};

#[test]
fn a_refusal_names_the_program_and_the_next_step() {
    let sandbox = Sandbox::new();
    let holding = sandbox.hold();
    let error = refused(PidFile::acquire(sandbox.pidfile()));
    let expected = format!(
        "{} is held by process {} (holder); stop it, or use another path",
        sandbox.pidfile().display(),
        holding.pid()
    );
    // The user is not mentioned: it is ours.
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_function_that_cannot_return_an_error_reports_it_all_the_same() {
    let sandbox = Sandbox::new();
    let _holding = sandbox.hold();
    let message = format!("{:#}", refused(PidFile::acquire(sandbox.pidfile())));
    let line = format!("holder: {message}\n");
    let run = |kind: &str| {
        let path = format!("path={}", sandbox.pidfile().display());
        let mut program = Command::new(env!("CARGO_BIN_EXE_holder"));
        program.args([path, format!("refused-as={kind}")]);
        let output = program.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let status = output.status.code();
        (status, text(output.stdout), text(output.stderr))
    };
    assert_eq!(run("main"), (Some(75), String::new(), line.clone()));
    let status = format!("returned {:?}\n", ExitCode::from(75));
    assert_eq!(run("main-with-a-status"), (Some(0), status, line));
    let (status, _, panic) = run("function");
    assert_eq!(status, Some(101));
    assert!(panic.contains(&message), "{panic}");
}

#[test]
fn a_refusal_says_that_the_holder_is_suspended() {
    let sandbox = Sandbox::new();
    let holding = sandbox.hold();
    holding.signal(Signal::SIGSTOP);
    let found = pidfile::holder(sandbox.pidfile())
        .unwrap()
        .expect("it is held");
    eventually("the stop", || found.is_suspended());
    let error = refused(PidFile::acquire(sandbox.pidfile()));
    assert!(
        matches!(
            error,
            Error::Locked {
                suspended: true,
                ..
            }
        ),
        "{error:?}"
    );
    let text = error.to_string();
    assert!(
        text.contains("(holder), which is suspended; stop it"),
        "{text}"
    );
    holding.signal(Signal::SIGCONT);
    eventually("the waking", || !found.is_suspended());
    let text = refused(PidFile::acquire(sandbox.pidfile())).to_string();
    assert!(!text.contains("suspended"), "{text}");
}

#[test]
fn a_refusal_names_the_user_if_it_is_another_one() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    // Held by root.
    let holding = sandbox.hold();
    holder(sandbox.pidfile())
        .steps("acquire")
        .unprivileged(&sandbox)
        .refusal()
        .expect("Locked", 75)
        .expect_pid(holding.pid())
        .expect_message(format!(
            "process {} (holder) of user root; stop it",
            holding.pid()
        ));

    // Held by a user whose number has no name.
    let folder = sandbox.folder("run", 0o755);
    chown(&folder, Some(USER), Some(USER)).unwrap();
    let path = folder.join("it.pid");
    let mut theirs = holder(&path)
        .steps("acquire wait")
        .unprivileged(&sandbox)
        .start();
    theirs.expect_held(&path);
    holder(&path)
        .steps("acquire")
        .refusal()
        .expect_pid(theirs.pid())
        .expect_message(format!("(holder) of user {USER}; stop it"));
}

#[test]
fn a_refusal_by_an_overwritten_file_names_the_holder_and_not_the_stranger() {
    let sandbox = Sandbox::new();
    let stranger = Stranger::new();
    let holding = sandbox.hold();
    for record in [stranger.record(), "a letter\n".into()] {
        fs::write(sandbox.pidfile(), &record).unwrap();
        let error = refused(PidFile::acquire(sandbox.pidfile()));
        assert!(
            matches!(error, Error::Locked { misnamed: true, .. }),
            "{error:?}"
        );
        assert_eq!(error.pid(), Some(holding.pid()));
        let text = error.to_string();
        let expected = format!(
            "process {} (holder), although the file does not name it; stop it",
            holding.pid()
        );
        assert!(text.contains(&expected), "{text}");
        assert_eq!(fs::read_to_string(sandbox.pidfile()).unwrap(), record);
    }
}

#[test]
fn a_refusal_without_a_name_says_what_finds_the_holder_and_that_finds_it() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let mut daemon = sandbox.hold_by_a_worker();
    let error = refused(PidFile::acquire(&path));
    assert_eq!(error.pid(), None);
    let text = error.to_string();
    let command = format!("`fuser {}`", path.display());
    assert!(text.contains(&command), "{text}");
    assert!(
        !text.contains(&format!("process {}", daemon.pid())),
        "{text}"
    );

    let found = Command::new("fuser").arg(&path).output();
    if !needs(found.is_ok(), "`fuser`") {
        return;
    }
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    let worker = found.trim();
    let name = fs::read_to_string(format!("/proc/{worker}/comm")).expect("one process");
    assert_eq!(name, "holder\n");
    daemon.let_go();
    eventually("the worker's end", || !is_locked(&path));
}

#[test]
fn a_lock_over_an_empty_file_is_refused_without_a_name() {
    let sandbox = Sandbox::new();
    let _stranger = Stranger::new();
    let path = sandbox.file("it.pid", "");
    let _held = lock(&path, FlockArg::LockExclusive);
    let error = refused(PidFile::acquire(&path));
    assert_eq!(error.pid(), None, "{error:?}");
    assert!(
        error.to_string().contains("cannot be identified"),
        "{error}"
    );
}
