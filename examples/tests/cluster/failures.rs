//! The leader is lost, in every way there is, and another one follows.

use std::os::unix::process::ExitStatusExt;
use std::time::Instant;

use nix::sys::signal::Signal;
use postgres::GenericClient;
use postgres::types::{ToSql, Type};

use crate::member::Member;
use crate::network::{Cut, Network, SERVER};
use crate::server::Server;
use crate::system::{eventually, rounds, time_of_day};

/// A leader that writes, and a second machine that waits.
fn pair(server: &Server, round: u32) -> (Member, Member, i64) {
    let leader = Member::start(server, &format!("leader{round}"));
    let epoch = leader.leads();
    let next = Member::start(server, &format!("next{round}"));
    next.waits(server);
    server.accepts_a_write(epoch);
    (leader, next, epoch)
}

/// Waits until the next one leads and writes; returns the moment when it said so.
#[track_caller]
fn follows(next: &Member, server: &Server, epoch: i64) -> Instant {
    assert_eq!(next.leads(), epoch + 1);
    let now = Instant::now();
    server.accepts_a_write(epoch + 1);
    now
}

#[track_caller]
fn end(server: &Server, what: &str) {
    let (epochs, writes) = server.check();
    eprintln!("{what}: {epochs} epochs and {writes} writes, none of them late");
}

/// The backend that has the lock.
fn holder(server: &Server) -> i32 {
    server
        .ask("select pid from pg_locks where locktype = 'advisory' and classid = 7171 and granted")
}

#[test]
fn when_the_leader_is_killed_another_leads() {
    let Some(server) = Server::start() else {
        return;
    };
    for round in 1..=rounds() {
        let (mut leader, next, epoch) = pair(&server, round);
        let killed = Instant::now();
        leader.signal(Signal::SIGKILL);
        let led = follows(&next, &server, epoch);
        eprintln!(
            "round {round}: killed, another leads after {:?}",
            led - killed
        );
        assert_eq!(leader.ends().signal(), Some(Signal::SIGKILL as i32));
        let left = std::fs::read_to_string(&leader.pidfile).expect("it had no chance to remove it");
        assert_eq!(
            left,
            format!("{}\n", leader.process.pid()),
            "a stale pidfile"
        );
        // The next start on that machine takes the stale file over, and competes again.
        let again = Member::start(&server, &leader.name);
        again.waits(&server);
        let taken = std::fs::read_to_string(&again.pidfile).expect("it is held");
        assert_eq!(taken, format!("{}\n", again.process.pid()));
    }
    end(&server, "leader killed");
}

#[test]
fn when_its_session_is_terminated_the_leader_ends() {
    let Some(server) = Server::start() else {
        return;
    };
    for round in 1..=rounds() {
        let (mut leader, next, epoch) = pair(&server, round);
        let terminated = Instant::now();
        assert!(server.ask::<bool>(&format!("select pg_terminate_backend({})", holder(&server))));
        let noticed = leader.ends_lost();
        let led = follows(&next, &server, epoch);
        eprintln!(
            "round {round}: session terminated, noticed after {:?}, another leads after {:?}",
            noticed - terminated,
            led - terminated
        );
    }
    end(&server, "session terminated");
}

#[test]
fn when_the_server_is_killed_the_leader_ends_and_another_leads_once_it_is_back() {
    let Some(mut server) = Server::start() else {
        return;
    };
    for round in 1..=rounds() {
        let (mut leader, mut next, epoch) = pair(&server, round);
        let killed = Instant::now();
        server.kill();
        let noticed = leader.ends_lost();
        assert_eq!(
            next.process.status(),
            None,
            "a machine that waits goes on waiting"
        );
        server.resume();
        let back = Instant::now();
        let led = follows(&next, &server, epoch);
        eprintln!(
            "round {round}: server killed, noticed after {:?}, another leads {:?} after its return",
            noticed - killed,
            led.saturating_duration_since(back)
        );
    }
    end(&server, "server killed");
}

#[test]
fn when_the_server_does_not_answer_the_leader_ends() {
    let Some(server) = Server::start() else {
        return;
    };
    for round in 1..=rounds() {
        let (mut leader, next, epoch) = pair(&server, round);
        let stopped = Instant::now();
        server.signal(Signal::SIGSTOP);
        let noticed = leader.ends_lost();
        server.signal(Signal::SIGCONT);
        let led = follows(&next, &server, epoch);
        eprintln!(
            "round {round}: server stopped, the leader has ended after {:?}, another leads after {:?}",
            noticed - stopped,
            led - stopped
        );
    }
    end(&server, "server stopped");
}

#[test]
fn when_the_network_is_cut_the_leader_has_ended_before_the_server_frees_the_lock() {
    lose(Cut::Everything, "network cut");
}

#[test]
fn when_only_answers_are_lost_the_leader_has_ended_before_the_server_frees_the_lock() {
    lose(Cut::Answers, "answers lost");
}

fn lose(cut: Cut, what: &str) {
    let Some(network) = Network::start() else {
        return;
    };
    let Some(server) = Server::start_in(Some(network.server())) else {
        return;
    };
    let (_, port) = server.user_and_port();
    for round in 1..=rounds() {
        let name = format!("leader{round}");
        let url = server.url_at(SERVER, port, &name);
        let mut leader = Member::start_at(&server, &name, &url, Some(network.leader()));
        let epoch = leader.leads();
        let name = format!("next{round}");
        let url = server.url_at(SERVER, port, &name);
        let next = Member::start_at(&server, &name, &url, Some(network.server()));
        next.waits(&server);
        server.accepts_a_write(epoch);
        let session = format!(" {} leader", holder(&server));

        server.mark();
        let begun = Instant::now();
        network.cut(cut);
        let noticed = leader.ends_lost();
        let ended = time_of_day();
        let led = follows(&next, &server, epoch);
        // The line is written before the lock is free.
        let (freed, line) = server
            .logged(&session, "FATAL")
            .expect("the session's last line");
        assert!(line.contains("idle-session timeout"), "{line}");
        assert!(
            ended < freed,
            "the leader has ended {} s too late",
            ended - freed
        );
        eprintln!(
            "round {round}: {what}, the leader has ended after {:?}, {:.1} s before the server \
             gave up on it, another leads after {:?}",
            noticed - begun,
            freed - ended,
            led - begun
        );
        // What the cut has kept back must do no harm now.
        network.mend(cut);
        server.accepts_a_write(epoch + 1);
    }
    end(&server, what);
}

#[test]
fn when_the_leader_is_stopped_for_longer_than_the_lease_it_ends_without_a_late_write() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut refused = 0;
    for round in 1..=rounds() {
        let (mut leader, next, epoch) = pair(&server, round);
        let stopped = Instant::now();
        leader.signal(Signal::SIGSTOP);
        let led = follows(&next, &server, epoch);
        leader.signal(Signal::SIGCONT);
        leader.ends_lost();
        refused += leader.refused();
        server.accepts_a_write(epoch + 1);
        eprintln!(
            "round {round}: leader stopped, another leads after {:?}",
            led - stopped
        );
    }
    end(&server, "leader stopped");
    eprintln!("leader stopped: {refused} late writes have reached the server, and were refused");
}

#[test]
fn a_leader_alone_notices_by_its_session_that_it_is_lost() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut leader = Member::start(&server, "leader");
    leader.leads();
    let terminate = format!("select pg_terminate_backend({})", holder(&server));
    assert!(server.ask::<bool>(&terminate));
    leader.ends_lost();
    // Neither a later epoch nor the end of the lease has told it.
    let said = leader.complaints();
    assert!(
        said.contains("terminating connection") || said.contains("closed"),
        "{said}"
    );
}

/// The very statement that a leader writes with, as the server has logged it.
fn statement(server: &Server) -> String {
    let mut statement = String::new();
    eventually("a logged write", || {
        let log = server.log();
        let start = log.find("with fence as");
        let found = start.and_then(|start| log[start..].split_once("from fence\n"));
        statement = found
            .map(|(head, _)| format!("{head}from fence"))
            .unwrap_or_default();
        !statement.is_empty()
    });
    statement
}

fn write(client: &mut impl GenericClient, statement: &str, epoch: i64) -> u64 {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&epoch, Type::INT8), (&"", Type::TEXT)];
    let rows = client.execute_typed(statement, &parameters);
    rows.unwrap_or_else(|error| panic!("{statement}: {error:?}"))
}

#[test]
fn a_write_that_comes_late_is_refused_by_the_server() {
    let Some(server) = Server::start() else {
        return;
    };
    let (mut leader, next, epoch) = pair(&server, 1);
    let (statement, mut late) = (statement(&server), server.client());
    assert_eq!(write(&mut late, &statement, epoch), 1, "in its own time");
    leader.signal(Signal::SIGKILL);
    leader.ends();
    follows(&next, &server, epoch);
    assert_eq!(write(&mut late, &statement, epoch), 0, "its epoch is over");
    assert_eq!(write(&mut late, &statement, epoch + 2), 0, "not begun yet");
    end(&server, "late write");
}

#[test]
fn a_refused_write_is_counted_and_ends_the_leader() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut leader = Member::start(&server, "leader");
    leader.leads();
    // By hand, and without the lock: its session is alive and its lease is good.
    let later = "update leadership set epoch = epoch + 1";
    server.client().execute(later, &[]).expect("an update");
    leader.ends_lost();
    assert_eq!(leader.refused(), 1);
    let said = leader.complaints();
    assert!(said.contains("a later epoch has begun"), "{said}");
}

#[test]
fn the_next_epoch_does_not_begin_in_the_middle_of_a_write() {
    let Some(server) = Server::start() else {
        return;
    };
    let (mut leader, next, epoch) = pair(&server, 1);
    let (statement, mut slow) = (statement(&server), server.client());
    let mut transaction = slow.transaction().expect("begin");
    assert_eq!(write(&mut transaction, &statement, epoch), 1);
    leader.signal(Signal::SIGKILL);
    leader.ends();
    let waits = format!(
        "select exists (select from pg_stat_activity where application_name = '{}'
            and wait_event_type = 'Lock' and query like 'update leadership%')",
        next.name
    );
    eventually("the next one waits for the write", || {
        assert_eq!(server.epoch(), epoch, "it has not waited");
        server.ask(&waits)
    });
    transaction.commit().expect("commit");
    follows(&next, &server, epoch);
    end(&server, "write in flight");
}

#[test]
fn a_leader_whose_log_is_not_read_ends_all_the_same() {
    let Some(server) = Server::start() else {
        return;
    };
    let mut leader = Member::start_unread(&server, "leader");
    let epoch = leader.leads();
    let next = Member::start(&server, "next");
    next.waits(&server);
    assert!(server.ask::<bool>(&format!("select pg_terminate_backend({})", holder(&server))));
    assert_eq!(leader.ends().code(), Some(1));
    assert!(!leader.pidfile.exists());
    follows(&next, &server, epoch);
    end(&server, "log not read");
}
