//! A pooler that hands one session to several clients is noticed before it can
//! make two leaders.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use postgres::{Client, NoTls};

use crate::member::Member;
use crate::server::Server;
use crate::system::{Process, command, eventually, find, ordinary_user, skip};

struct Pooler {
    port: u16,
    _process: Process,
}

impl Pooler {
    fn start(server: &Server, mode: &str, pool_size: u32) -> Option<Pooler> {
        let Some(program) = find("pgbouncer") else {
            return skip("needs pgbouncer (Debian: pgbouncer)");
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let (user, behind) = server.user_and_port();
        let dir = tempfile::Builder::new()
            .prefix("pooler-")
            .tempdir_in(server.dir());
        let dir = dir.expect("a folder").keep();
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={behind} user={user}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = {pool_size}\n\
             ignore_startup_parameters = extra_float_digits\n"
        );
        let file = dir.join("pgbouncer.ini");
        fs::write(&file, settings).expect("write");
        if let Some(user) = ordinary_user() {
            for path in [&dir, &file] {
                std::os::unix::fs::chown(path, Some(user.uid.into()), None).expect("chown");
            }
        }
        let mut pgbouncer = command(program, None, true);
        pgbouncer
            .arg("--quiet")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let pooler = Pooler {
            port,
            _process: Process::start(pgbouncer),
        };
        eventually("the pooler answers", || {
            Client::connect(&server.url_at("127.0.0.1", port, "test"), NoTls).is_ok()
        });
        Some(pooler)
    }
}

/// How many of these two clients hold one and the same lock.
fn holders(one: &mut Client, two: &mut Client) -> usize {
    let lock = "select pg_try_advisory_lock(1)";
    [one, two]
        .map(|client| {
            client
                .query_typed_one(lock, &[])
                .expect("an answer")
                .get::<_, bool>(0)
        })
        .into_iter()
        .filter(|held| *held)
        .count()
}

#[test]
fn behind_a_pooler_that_shares_sessions_the_program_refuses_to_start() {
    let Some(server) = Server::start() else {
        return;
    };
    let direct = Member::start(&server, "direct");
    let epoch = direct.leads();
    for (mode, size) in [("transaction", 1), ("transaction", 20), ("statement", 20)] {
        let Some(pooler) = Pooler::start(&server, mode, size) else {
            return;
        };
        let url = |name: &str| server.url_at("127.0.0.1", pooler.port, name);
        // The trap itself.
        let connect = || Client::connect(&url("test"), NoTls).expect("the pooler is there");
        assert_eq!(
            holders(&mut connect(), &mut connect()),
            2,
            "two sessions both hold"
        );

        for round in 1..=10 {
            let name = format!("{mode}{size}-{round}");
            let mut member = Member::start_at(&server, &name, &url(&name), None);
            let status = member.ends();
            assert_eq!(
                status.code(),
                Some(78),
                "{mode}, {size}: {}",
                member.complaints()
            );
            assert!(
                member.complaints().contains("a pooler"),
                "{}",
                member.complaints()
            );
            assert!(!member.pidfile.exists(), "the pidfile is still there");
        }
    }
    assert_eq!(server.epoch(), epoch, "none of them has led");
    server.accepts_a_write(epoch);
    server.check();
}
