//! A start that waits reports whom it waits for and how long, once; a start that need not wait
//! reports nothing.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use pidfile::Options;

use crate::support::{Sandbox, eventually, holder, needs, refused};

#[test]
fn a_start_that_waits_reports_it_once() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=60000 on-wait acquire wait")
        .start();
    let notice = waiter.expect("notice ");
    let expected = format!(
        "waiting for process {} (holder), which holds {}, for up to 60s",
        holding.pid(),
        sandbox.pidfile().display()
    );
    assert_eq!(notice, expected);
    holding.tell();
    // Nothing comes in between.
    waiter.expect_held(&sandbox.pidfile());
}

#[test]
fn a_start_that_waits_for_two_holders_in_turn_reports_it_once() {
    let sandbox = Sandbox::new();
    let first = sandbox.hold();
    let next = sandbox.path("next");
    let mut second = holder(&next).steps("acquire wait").start();
    second.expect_held(&next);
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=60000 on-wait acquire wait")
        .start();
    let notice = waiter.expect("notice ");
    let named = format!("waiting for process {} ", first.pid());
    assert!(notice.starts_with(&named), "{notice}");
    // The name is never free.
    fs::rename(&next, sandbox.pidfile()).unwrap();
    eventually("a waiter that sleeps on the second file", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", waiter.pid())).unwrap();
        waiter.has_open(&sandbox.pidfile()) && stat.contains(") S ")
    });
    second.signal(Signal::SIGKILL);
    second.expect_death_by(Signal::SIGKILL);
    // Nothing comes in between.
    waiter.expect_held(&sandbox.pidfile());
}

#[test]
fn a_notice_tells_path_process_and_time() {
    let sandbox = Sandbox::new();
    let holding = sandbox.hold();
    let notices = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&notices);
    let time = Duration::from_millis(20);
    let options = Options::new().path(sandbox.pidfile()).wait(time);
    let options = options.on_wait(move |waiting| {
        let facts = (waiting.path().to_owned(), waiting.pid(), waiting.time());
        told.lock().unwrap().push(facts);
    });
    assert!(format!("{options:?}").contains("on_wait: Some(OnWait)"));
    let error = refused(options.acquire());
    assert!(error.is_running(), "{error:?}");
    let expected = (sandbox.pidfile(), Some(holding.pid()), time);
    assert_eq!(*notices.lock().unwrap(), [expected]);
}

#[test]
fn a_start_without_a_limit_names_none() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=max on-wait acquire")
        .start();
    let notice = waiter.expect("notice ");
    assert!(
        notice.ends_with(&*sandbox.pidfile().to_string_lossy()),
        "{notice}"
    );
    holding.tell();
    waiter.expect_held(&sandbox.pidfile());
}

#[test]
fn a_start_that_replaces_reports_whom_it_stops() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    let mut next = holder(sandbox.pidfile())
        .steps("replace=60000 on-wait acquire")
        .start();
    let notice = next.expect("notice ");
    let start = format!("stopping process {} (holder), which holds ", holding.pid());
    assert!(notice.starts_with(&start), "{notice}");
    assert!(notice.ends_with(", for up to 60s"), "{notice}");
    next.expect_held(&sandbox.pidfile());
    holding.expect_death_by(Signal::SIGTERM);
}

#[test]
fn a_start_that_need_not_wait_reports_nothing() {
    let sandbox = Sandbox::new();
    let mut program = holder(sandbox.pidfile())
        .steps("patience=60000 on-wait acquire release acquire wait")
        .start();
    program.expect_held(&sandbox.pidfile());
    program.expect("released");
    program.expect_held(&sandbox.pidfile());
    // One that does not wait at all is refused without a notice.
    holder(sandbox.pidfile())
        .steps("on-wait acquire")
        .refusal()
        .expect("Locked", 75);
}

#[test]
fn in_main_the_notice_goes_to_a_terminal_and_nowhere_else() {
    let sandbox = Sandbox::new();
    let mut holding = sandbox.hold();
    // Standard output and error are one pipe here, and the refusal is the first line of it.
    let mut waiter = holder(sandbox.pidfile())
        .steps("patience=50 announce acquire")
        .under(&["sh", "-c", "exec \"$@\" 2>&1", "sh"])
        .start();
    waiter.refusal().expect("Locked", 75);
    assert_eq!(waiter.line(), None);
    waiter.expect_exit(75);

    let has_script = std::process::Command::new("script")
        .arg("--version")
        .output();
    if !needs(has_script.is_ok(), "`script`, for a terminal") {
        return;
    }
    // The standard error of the program is the terminal that `script` makes; it prints what it sees.
    let command = format!(
        "{} {}",
        env!("CARGO_BIN_EXE_patient"),
        sandbox.pidfile().display()
    );
    let mut waiter = crate::support::Script::of("script")
        .steps("-qec")
        .argument(command)
        .argument("/dev/null")
        .start();
    let line = waiter.expect("patient: waiting for process ");
    assert!(
        line.starts_with(&format!("{} (holder), which holds ", holding.pid())),
        "{line}"
    );
    holding.tell();
    waiter.expect("held");
}
