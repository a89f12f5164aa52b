//! Without a lock to ask, a process decides by its life: whatever its threads do and whatever it is
//! called, alive is alive and dead is dead.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::sys::signal::Signal::SIGKILL;

use crate::support::{
    Program, Sandbox, Script, can_unshare, eventually, holder, is_locked, is_root,
};

/// Names that a process may give itself; the kernel keeps fifteen bytes.
const TITLES: [&[u8]; 8] = [
    b"thermod: idle",
    b"caf\xe9-\xff\xfe",
    "fourteen bytes\u{e9}".as_bytes(), // cut inside the letter
    "\u{1f980}\u{1f980}\u{1f980}\u{1f980}".as_bytes(),
    b"x) Z (y",
    b") Z 1 1",
    b" \n\tState:\tZ",
    b"",
];

/// A process that took these steps and then waits; the same program as every starter here.
#[track_caller]
fn living(script: Script, steps: &str) -> Program {
    let mut program = script.steps(steps).steps("say=ready wait").start();
    program.expect("ready");
    program
}

#[test]
fn a_start_that_waits_for_a_living_process_has_no_lock_meanwhile() {
    let sandbox = Sandbox::new();
    let living = living(Script::new(), "");
    let path = sandbox.file("it.pid", format!("{}\n", living.pid()));
    let script = holder(&path).steps("refuse_live=true patience=max on-wait");
    let mut waiter = script.steps("acquire wait").start();
    waiter.expect("notice ");
    assert!(!is_locked(&path));
    living.signal(SIGKILL);
    waiter.expect_held(&path);
}

/// That starts with either option are refused by the process that the file names, until it is dead.
#[track_caller]
fn assert_alive_until_dead(sandbox: &Sandbox, path: &Path, mut program: Program) {
    let start = |settings: &str| {
        fs::write(path, format!("{}\n", program.pid())).unwrap();
        let script = holder(path).steps(settings).steps("acquire release");
        script.unprivileged(sandbox).start()
    };
    for settings in ["lock=false", "refuse_live=true"] {
        let refusal = start(settings).refusal();
        refusal.expect("Running", 75).expect_pid(program.pid());
    }
    let status = pidfile::Options::new().path(path).lock(false).status();
    let held = pidfile::Status::Held {
        pid: Some(program.pid()),
    };
    assert_eq!(status.unwrap(), held);
    program.signal(SIGKILL);
    program.wait();
    for settings in ["lock=false", "refuse_live=true"] {
        let mut next = holder(path)
            .steps(settings)
            .steps("acquire release")
            .unprivileged(sandbox)
            .start();
        next.expect("held ");
        next.expect("released");
        fs::write(path, format!("{}\n", program.pid())).unwrap();
    }
}

#[test]
fn a_process_whose_main_thread_has_ended_is_alive_until_it_is_dead() {
    let sandbox = Sandbox::new();
    let path = sandbox.folder("run", 0o777).join("it.pid");
    for unprivileged in [true, false] {
        let script = Script::new();
        let script = if unprivileged {
            script.unprivileged(&sandbox)
        } else {
            script
        };
        let program = living(script, "end-main-thread");
        eventually("the end of the main thread", || {
            let status = fs::read_to_string(format!("/proc/{}/status", program.pid()));
            status.unwrap().contains("State:\tZ")
        });
        assert_alive_until_dead(&sandbox, &path, program);
    }
}

#[test]
fn a_process_with_a_title_is_alive_until_it_is_dead() {
    let sandbox = Sandbox::new();
    let path = sandbox.folder("run", 0o777).join("it.pid");
    for title in TITLES {
        for steps in ["", "end-main-thread"] {
            // As root it has an executable that the starters cannot read.
            let script = Script::new().set("title", OsStr::from_bytes(title));
            assert_alive_until_dead(&sandbox, &path, living(script, steps));
        }
    }
}

#[test]
fn a_holder_with_a_title_is_named_in_a_refusal() {
    let sandbox = Sandbox::new();
    for title in TITLES {
        let script = holder(sandbox.pidfile()).set("title", OsStr::from_bytes(title));
        let mut program = script.steps("acquire wait").start();
        program.expect_held(&sandbox.pidfile());
        let refusal = holder(sandbox.pidfile()).steps("acquire").refusal();
        let refusal = refusal.expect("Locked", 75).expect_pid(program.pid());
        refusal.expect_message(program.pid());
        program.signal(SIGKILL);
        program.wait();
    }
}

#[test]
fn a_holder_whose_main_thread_has_ended_holds_until_it_is_dead() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for before in [true, false] {
        let steps = if before {
            "end-main-thread acquire say=ready wait release"
        } else {
            "acquire end-main-thread say=ready wait release"
        };
        let mut program = holder(&path).steps(steps).start();
        program.expect_held(&path);
        program.expect("ready");
        let refusal = holder(&path).steps("acquire").refusal();
        refusal.expect("Locked", 75).expect_pid(program.pid());
        program.tell();
        program.expect("released");
        program.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn a_holder_without_the_lock_whose_main_thread_has_ended_is_respected() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let script = holder(&path).steps("lock=false acquire end-main-thread");
    let mut program = script.steps("say=ready wait").start();
    program.expect_held(&path);
    program.expect("ready");
    for (settings, fact) in [
        ("", "which is running; stop it"),
        ("patience=20", "which is still running after 20ms; stop it"),
    ] {
        let script = holder(&path).steps("lock=false").steps(settings);
        let refusal = script.steps("acquire").refusal().expect("Running", 75);
        refusal.expect_pid(program.pid()).expect_message(fact);
    }
    program.signal(SIGKILL);
    program.wait();
    let mut next = holder(&path).steps("lock=false acquire wait").start();
    next.expect_held(&path);
}

#[test]
fn a_process_is_alive_though_proc_shows_another_pid_namespace() {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--pid", "--fork"]) {
        return;
    }
    let path = sandbox.pidfile();
    // Without `--mount-proc`, so that /proc/1 is the init of the machine.
    let steps = "lock=false acquire fork=try reap lock=true refuse_live=true fork=try reap wait";
    let mut first = holder(&path)
        .steps(steps)
        .under(&["unshare", "--pid", "--fork"])
        .start();
    first.expect("held 1 ");
    for _ in ["lock=false", "refuse_live=true"] {
        let refusal = first.refusal().expect("Running", 75).expect_pid(1);
        // The name in /proc/1 is that of another process.
        refusal.expect_message("names process 1, which is running");
        first.expect("child exited 0");
    }
}

#[test]
fn a_dead_process_is_dead_though_proc_shows_another_pid_namespace() {
    let sandbox = Sandbox::new();
    if !can_unshare(&["--pid", "--fork"]) {
        return;
    }
    // On the machine that number belongs to a living process; in the namespace to none.
    let ours = std::process::id();
    for settings in ["lock=false", "refuse_live=true"] {
        let path = sandbox.file("it.pid", format!("{ours}\n"));
        let script = holder(&path).steps(settings).steps("acquire release");
        let mut start = script.under(&["unshare", "--pid", "--fork"]).start();
        start.expect("held 1 ");
        start.expect("released");
    }
}

#[test]
fn without_the_lock_a_second_acquire_in_one_process_says_running() {
    let sandbox = Sandbox::new();
    let steps = "lock=false acquire try patience=20 try wait";
    let mut program = holder(sandbox.pidfile()).steps(steps).start();
    program.expect_held(&sandbox.pidfile());
    for _ in 0..2 {
        let refusal = program.refusal();
        refusal.expect("Running", 75).expect_pid(program.pid());
    }
}

#[test]
fn a_process_of_another_user_is_alive() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let path = sandbox.folder("run", 0o777).join("it.pid");
    let copy = sandbox.open_to_all();
    let program = living(Script::new().user(crate::support::OTHER_USER, &copy), "");
    assert_alive_until_dead(&sandbox, &path, program);
}
