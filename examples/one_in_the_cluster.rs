//! One instance in a cluster of machines: a pidfile on each machine, and one
//! advisory lock of Postgres (14 or later) for all of them.
//!
//! ```text
//! psql -f examples/one_in_the_cluster.sql postgresql://user@db.example/thermod
//! cargo run --bin one_in_the_cluster -- postgresql://user@db.example/thermod
//! ```
//!
//! The chapter `pidfile/docs/cluster.md` explains each step. A server that is not on
//! this machine should be reached through TLS, which takes the place of `NoTls`.

use std::error::Error;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{env, fs, process, thread};

use nix::time::{ClockId, clock_gettime};
use pidfile::pidfile;
use postgres::config::TargetSessionAttrs;
use postgres::types::{FromSqlOwned, Type};
use postgres::{Client, Config, NoTls};
use signal_hook::consts::{SIGINT, SIGTERM};

/// The number of this service's lock among the advisory locks of its database.
const SERVICE: i32 = 7_171;
/// The pause between two queries to the server.
const BEAT: Duration = Duration::from_millis(200);
/// How long one answer counts, from the moment that its query was sent.
const LEASE: Duration = Duration::from_secs(3);

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// The server gives up on a session later than its client does: after 6 seconds without a question,
/// without an answer to its probes, or without an acknowledgement of its data. By default the first
/// never happens, and it starts to probe after two hours.
const GIVE_UP_LATER: &str = "
    set idle_session_timeout = '6s';
    set tcp_keepalives_idle = '3s';
    set tcp_keepalives_interval = '1s';
    set tcp_keepalives_count = 3;
    set tcp_user_timeout = '6s';
    set statement_timeout = '2s'";

/// The statement that writes also checks the epoch. `for share` makes the next leader wait until a
/// write that has passed the check is done; `for key share` would not.
const WRITE: &str = "
    with fence as (select from leadership where epoch = $1 for share)
    insert into readings (epoch, load) select $1, $2 from fence";

/// A time of the clock that [`now`] reads.
static LEASE_ENDS: Mutex<Duration> = Mutex::new(Duration::ZERO);
static WRITTEN: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

// The pidfile comes first. It needs no network, and only one process of each machine competes.
#[pidfile]
fn main() {
    if let Err(error) = run() {
        eprintln!("{}", in_full(&*error));
        process::exit(1);
    }
}

fn run() -> Result<()> {
    let url = env::args().nth(1);
    let url = url.ok_or("usage: one_in_the_cluster postgresql://USER@HOST/DATABASE")?;
    let mut config: Config = url.parse()?;
    config
        .target_session_attrs(TargetSessionAttrs::ReadWrite) // A standby has locks of its own.
        .connect_timeout(LEASE)
        .tcp_user_timeout(LEASE)
        .keepalives_idle(Duration::from_secs(1))
        .keepalives_interval(Duration::from_secs(1))
        .keepalives_retries(2);

    let mut leader = loop {
        match elect(&config) {
            Ok(leader) => break leader,
            Err(error) => eprintln!("trying again: {}", in_full(&*error)),
        }
        thread::sleep(BEAT);
    };
    thread::spawn(watch);
    // Until now, a signal would end the process at once. From here on, the work is finished first.
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    println!("process {} leads in epoch {}", process::id(), leader.epoch);

    let work = thread::spawn(move || work(leader.writer, leader.epoch, &stop));
    while !work.is_finished() {
        let asked = now();
        match ask(&mut leader.session, "select pg_backend_pid()") {
            Ok(backend) if leader.backend == backend => renew(asked),
            Ok(_) => lost("another session answers: there is a pooler"),
            Err(error) => lost(in_full(&*error)),
        }
        thread::sleep(BEAT);
    }

    // Released in the opposite order: the work, the lock, and on return the pidfile.
    let outcome = work.join();
    let unlock = format!("select pg_advisory_unlock({SERVICE}, 0)");
    if let Err(error) = ask::<bool>(&mut leader.session, &unlock) {
        lost(in_full(&*error));
    }
    println!("given back: {}", tally());
    outcome.map_err(|_| "the work has panicked")?
}

struct Leader {
    session: Client, // Has the lock, and does nothing else.
    backend: i32,    // The server's process for it.
    writer: Client,
    epoch: i64,
}

/// Waits for the lock, and begins a new epoch.
fn elect(config: &Config) -> Result<Leader> {
    let mut session = config.connect(NoTls)?;
    let mut writer = config.connect(NoTls)?;
    let backend = ask(&mut session, "select pg_backend_pid()")?;
    if is_pooled(&mut session, backend, &mut writer)? {
        eprintln!("this is a pooler, through which two processes could lead; connect directly");
        process::exit(78);
    }
    session.batch_execute(GIVE_UP_LATER)?;
    writer.batch_execute(GIVE_UP_LATER)?;
    writer.batch_execute("set idle_session_timeout = 0")?; // Work may take its time.

    let lock = format!("select pg_try_advisory_lock({SERVICE}, 0)");
    while !ask::<bool>(&mut session, &lock)? {
        thread::sleep(BEAT);
    }
    let asked = now();
    let epoch = ask(
        &mut session,
        "update leadership set epoch = epoch + 1 returning epoch",
    )?;
    renew(asked);
    Ok(Leader {
        session,
        backend,
        writer,
        epoch,
    })
}

/// Behind a pooler, connections share the sessions of the server: the second one gets the lock that
/// the first one has, or the first one is answered by another session.
fn is_pooled(one: &mut Client, backend: i32, two: &mut Client) -> Result<bool> {
    // Another process may lead already, so this lock is one that only these two sessions ask for.
    let lock = format!("select pg_try_advisory_lock({SERVICE}, {backend})");
    let unlock = format!("select pg_advisory_unlock({SERVICE}, {backend})");
    let shared = !ask::<bool>(one, &lock)? || ask(two, &lock)?;
    let moved = backend != ask::<i32>(one, "select pg_backend_pid()")?;
    ask::<bool>(one, &unlock)?;
    Ok(shared || moved)
}

/// The work: a reading every beat. Each carries the epoch.
fn work(mut writer: Client, epoch: i64, stop: &AtomicBool) -> Result<()> {
    while !stop.load(SeqCst) {
        let load = fs::read_to_string("/proc/loadavg")?;
        match writer.execute_typed(WRITE, &[(&epoch, Type::INT8), (&load, Type::TEXT)])? {
            0 => {
                REFUSED.fetch_add(1, SeqCst);
                lost("a later epoch has begun");
            }
            rows => WRITTEN.fetch_add(rows, SeqCst),
        };
        thread::sleep(BEAT);
    }
    Ok(())
}

/// Ends the process when its lease runs out, whatever the other threads are waiting for.
fn watch() {
    loop {
        let ends = *LEASE_ENDS.lock().unwrap();
        match ends.checked_sub(now()) {
            Some(left) => thread::sleep(left.min(BEAT)),
            None => lost("the server has not answered in time"),
        }
    }
}

/// The lease counts from before the query, because the server's own clock starts later than that.
fn renew(asked: Duration) {
    *LEASE_ENDS.lock().unwrap() = asked + LEASE;
}

/// Ends the process at once, but not by `exit`, whose handlers might wait for the work.
fn lost(why: impl Display) -> ! {
    pidfile::cleanup();
    let message = format!("lost: {why}; {}", tally());
    let (said, heard) = mpsc::channel();
    thread::spawn(move || {
        eprintln!("{message}");
        said.send(())
    });
    // A log that is not read must not keep the process alive.
    let _ = heard.recv_timeout(BEAT);
    signal_hook::low_level::exit(1);
}

fn tally() -> String {
    let (written, refused) = (WRITTEN.load(SeqCst), REFUSED.load(SeqCst));
    format!("{written} writes, {refused} refused")
}

/// Queries one value, without a prepared statement, which would be another trap behind a pooler.
fn ask<T: FromSqlOwned>(session: &mut Client, question: &str) -> Result<T> {
    Ok(session.query_typed_one(question, &[])?.try_get(0)?)
}

fn in_full(error: &(dyn Error + Send + Sync)) -> String {
    let cause = error.source().map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

/// The time since boot. `Instant` stands still while the machine is suspended, but the server does
/// not.
fn now() -> Duration {
    #[cfg(target_os = "linux")]
    let clock = ClockId::CLOCK_BOOTTIME;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::CLOCK_MONOTONIC;
    clock_gettime(clock).expect("the clock is there").into()
}
