//! A machine's pidfile, and a leader that gives back what it has.

use nix::sys::signal::Signal;

use crate::member::Member;
use crate::server::Server;
use crate::system::eventually;

#[test]
fn a_second_process_of_the_same_machine_is_refused_by_the_pidfile() {
    let Some(server) = Server::start() else {
        return;
    };
    let leader = Member::start(&server, "one");
    let epoch = leader.leads();
    server.mark();
    let mut second = Member::start(&server, "one");
    assert_eq!(second.ends().code(), Some(75), "{}", second.complaints());
    let held = format!("is held by process {}", leader.process.pid());
    assert!(
        second.complaints().contains(&held),
        "{}",
        second.complaints()
    );
    assert_eq!(
        server.logged("one", "connection authorized"),
        None,
        "it needs no network"
    );
    assert_eq!(server.epoch(), epoch);
    server.check();
}

#[test]
fn a_leader_that_is_asked_to_end_gives_back_the_lock_and_then_the_pidfile() {
    let Some(server) = Server::start() else {
        return;
    };
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut leader = Member::start(&server, &format!("leader-{signal}"));
        let epoch = leader.leads();
        let next = Member::start(&server, &format!("next-{signal}"));
        next.waits(&server);
        server.accepts_a_write(epoch);
        server.mark();
        leader.signal(signal);
        // The pidfile is there whenever the server has not been told yet.
        eventually("the pidfile goes", || {
            let gone = !leader.pidfile.exists();
            let told = server
                .logged(&leader.name, "advisory_unlock(7171, 0)")
                .is_some();
            assert!(told || !gone, "the pidfile has gone before the lock");
            gone
        });
        assert_eq!(leader.ends().code(), Some(0), "{}", leader.complaints());
        let said = leader.last_line().unwrap_or_default();
        assert!(
            said.starts_with("given back: ") && said.ends_with(" 0 refused"),
            "{said}"
        );
        assert_eq!(next.leads(), epoch + 1);
    }
    server.check();
}

#[test]
fn a_machine_that_waits_ends_by_the_signal_and_leaves_nothing() {
    use std::os::unix::process::ExitStatusExt;

    let Some(server) = Server::start() else {
        return;
    };
    let leader = Member::start(&server, "leader");
    leader.leads();
    let mut next = Member::start(&server, "next");
    next.waits(&server);
    next.signal(Signal::SIGTERM);
    assert_eq!(next.ends().signal(), Some(Signal::SIGTERM as i32));
    assert!(!next.pidfile.exists());
}

#[test]
fn a_machine_that_starts_before_the_server_waits_for_it() {
    let Some(mut server) = Server::start() else {
        return;
    };
    server.kill();
    let mut early = Member::start(&server, "early");
    eventually("it says what it waits for", || {
        early.complaints().contains("trying again")
    });
    assert_eq!(early.process.status(), None);
    server.resume();
    assert_eq!(early.leads(), 1);
    server.check();
}
