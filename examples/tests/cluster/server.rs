//! A server of the test's own, and what it has to say about its clients.

use std::cell::Cell;
use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use postgres::{Client, NoTls};
use tempfile::TempDir;

use crate::system::{Process, children, command, eventually, find, ordinary_user, run, skip};

/// Notes down in one order, that of a sequence, what the server has accepted:
/// each new epoch with the holders of the lock at that moment, and each write.
const WITNESS: &str = "
    create sequence moment;
    create table witness (
        moment bigint primary key default nextval('moment'),
        epoch bigint not null,
        begins boolean not null,
        backend int not null default pg_backend_pid(),
        holders int[]
    );
    create function begins() returns trigger language plpgsql as $$ begin
        insert into witness (epoch, begins, holders) select new.epoch, true, array(
            select pid from pg_locks where locktype = 'advisory' and granted
                and (classid, objid, objsubid) = (7171, 0, 2));
        return null;
    end $$;
    create function writes() returns trigger language plpgsql as $$ begin
        insert into witness (epoch, begins) values (new.epoch, false);
        return null;
    end $$;
    create trigger begins after update on leadership for each row execute function begins();
    create trigger writes after insert on readings for each row execute function writes();
";

#[derive(Debug)]
pub(crate) struct Server {
    process: Option<Process>,
    bin: PathBuf,
    port: u16,
    network: Option<Pid>,
    /// Processes that were killed and may not be gone yet.
    dying: Vec<Pid>,
    /// How much of the log was read.
    seen: Cell<usize>,
    // Last, so that it goes when the server has gone.
    dir: TempDir,
}

impl Server {
    /// A fresh one that listens on loopback, or nothing where there is none on this machine.
    pub(crate) fn start() -> Option<Server> {
        Server::start_in(None)
    }

    /// The same in the network of that process, on all addresses there.
    pub(crate) fn start_in(network: Option<Pid>) -> Option<Server> {
        let Some(bin) = binaries() else {
            return skip("needs PostgreSQL 14 or later (Debian: postgresql)");
        };
        let dir = TempDir::with_prefix("cluster-").expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        drop(listener);
        let mut server = Server {
            process: None,
            bin,
            port,
            network,
            dying: Vec::new(),
            seen: Cell::new(0),
            dir,
        };
        server.initialize();
        server.resume();
        Some(server)
    }

    fn initialize(&self) {
        let data = self.dir().join("data");
        fs::create_dir(&data).expect("mkdir");
        // The members' folders are root's, and must be seen through this one.
        fs::set_permissions(self.dir(), Permissions::from_mode(0o711)).expect("chmod");
        for dir in [self.dir(), &data] {
            if let Some(user) = ordinary_user() {
                chown(dir, Some(user.uid.into()), Some(user.gid.into())).expect("chown");
            }
        }
        let mut initdb = command(self.bin.join("initdb"), None, true);
        initdb.args([
            "--no-sync",
            "--auth=trust",
            "--username=thermod",
            "--pgdata",
        ]);
        initdb.arg(&data).current_dir(self.dir());
        run(initdb);
        let mut access = fs::read_to_string(data.join("pg_hba.conf")).expect("initdb has made it");
        access.push_str("host all all all trust\n");
        fs::write(data.join("pg_hba.conf"), access).expect("write");
    }

    /// Starts it, for the first time or again.
    pub(crate) fn resume(&mut self) {
        let first = self.process.is_none();
        self.wait_until_gone();
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.log_path());
        let mut postgres = command(self.bin.join("postgres"), self.network, true);
        postgres.arg("-D").arg(self.dir().join("data"));
        postgres
            .arg("-k")
            .arg(self.dir())
            .args(["-p", &self.port.to_string()]);
        let listen = if self.network.is_some() {
            "*"
        } else {
            "127.0.0.1"
        };
        for setting in [
            &format!("listen_addresses={listen}"),
            "log_line_prefix=%n %p %a | ",
            "log_statement=all",
            "log_connections=on",
            "log_disconnections=on",
            "fsync=off",
            "restart_after_crash=off",
        ] {
            postgres.args(["-c", setting]);
        }
        postgres
            .current_dir(self.dir())
            .stdout(Stdio::null())
            .stderr(log.expect("a log"));
        self.process = Some(Process::start(postgres));
        eventually("the server answers", || {
            let status = self.process.as_mut().and_then(Process::status);
            assert_eq!(status, None, "{}", self.log());
            Client::connect(&self.socket(), NoTls).is_ok()
        });
        if first {
            let mut client = self.client();
            client
                .batch_execute(include_str!("../../one_in_the_cluster.sql"))
                .expect("the tables");
            client.batch_execute(WITNESS).expect("the triggers");
        }
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn user_and_port(&self) -> (&'static str, u16) {
        ("thermod", self.port)
    }

    /// Where a member on this machine finds it.
    pub(crate) fn url(&self, member: &str) -> String {
        self.url_at("127.0.0.1", self.port, member)
    }

    pub(crate) fn url_at(&self, host: &str, port: u16, member: &str) -> String {
        let (user, _) = self.user_and_port();
        format!("postgresql://{user}@{host}:{port}/postgres?application_name={member}")
    }

    fn socket(&self) -> String {
        let dir = self.dir().display();
        format!(
            "host={dir} port={} user=thermod dbname=postgres application_name=test",
            self.port
        )
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.socket(), NoTls).expect("the server is there")
    }

    /// One value.
    #[track_caller]
    pub(crate) fn ask<T: postgres::types::FromSqlOwned>(&self, question: &str) -> T {
        let row = self.client().query_one(question, &[]);
        row.unwrap_or_else(|error| panic!("{question}: {error:?}"))
            .get(0)
    }

    pub(crate) fn epoch(&self) -> i64 {
        self.ask("select epoch from leadership")
    }

    /// Waits until one more write in the name of this epoch was accepted.
    #[track_caller]
    pub(crate) fn accepts_a_write(&self, epoch: i64) {
        let count = format!("select count(*) from readings where epoch = {epoch}");
        let before: i64 = self.ask(&count);
        eventually("a write", || self.ask::<i64>(&count) > before);
    }

    /// All of its processes, that of the leader's session among them.
    fn processes(&self) -> Vec<Pid> {
        let postmaster = self.process.as_ref().expect("it was started").pid();
        let mut all = vec![postmaster];
        all.extend(children(postmaster));
        all
    }

    /// Stops all of them, or lets them go on.
    pub(crate) fn signal(&self, signal: Signal) {
        for pid in self.processes() {
            // A process that has ended meanwhile needs no signal.
            let _ = kill(pid, signal);
        }
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        let all = self.processes();
        self.signal(Signal::SIGKILL);
        self.process.as_mut().expect("it was started").wait();
        self.dying = all;
    }

    /// A new server refuses the folder while a process of the old one is there.
    fn wait_until_gone(&mut self) {
        // They are no children of ours: that the number is gone is all there is to see.
        eventually("the old server is gone", || {
            self.dying.iter().all(|pid| kill(*pid, None).is_err())
        });
        self.dying.clear();
    }

    fn log_path(&self) -> PathBuf {
        self.dir().join("log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// From here on [`Server::logged`] looks.
    pub(crate) fn mark(&self) {
        self.seen.set(self.log().len());
    }

    /// The first line since the mark about this client with that text, after the time in seconds.
    pub(crate) fn logged(&self, client: &str, text: &str) -> Option<(f64, String)> {
        let log = self.log();
        let lines = log[self.seen.get()..].split_inclusive('\n');
        let mut whole = lines.filter(|line| line.ends_with('\n'));
        let (head, line) = whole.find_map(|line| {
            let (head, said) = line.split_once(" | ")?;
            (head.contains(client) && said.contains(text)).then_some((head, said))
        })?;
        let time = head.split(' ').next().and_then(|time| time.parse().ok());
        Some((
            time.expect("a line begins with its time"),
            line.trim_end().into(),
        ))
    }

    /// How often the server was asked for the lock by this client since the mark.
    pub(crate) fn asked_for_the_lock(&self, client: &str) -> usize {
        let log = self.log();
        let asked = |line: &&str| {
            line.contains(&format!(" {client} | ")) && line.contains("try_advisory_lock(7171, 0)")
        };
        log[self.seen.get()..].lines().filter(asked).count()
    }

    /// That only one has led at any time, and that nothing was written in the name of an epoch that
    /// was over. Returns how many epochs and writes there were.
    #[track_caller]
    pub(crate) fn check(&self) -> (usize, usize) {
        let rows = self
            .client()
            .query("select * from witness order by moment", &[]);
        let (mut epoch, mut epochs, mut writes) = (0, 0, 0);
        for row in rows.expect("the witness speaks") {
            let named: i64 = row.get("epoch");
            if row.get("begins") {
                let backend: i32 = row.get("backend");
                let holders: Vec<i32> = row.get("holders");
                assert_eq!(
                    holders,
                    [backend],
                    "who has the lock when epoch {named} begins"
                );
                assert_eq!(named, epoch + 1, "epochs are counted one by one");
                epoch = named;
                epochs += 1;
            } else {
                assert_eq!(
                    named, epoch,
                    "a write in the name of an epoch that was over"
                );
                writes += 1;
            }
        }
        (epochs, writes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its children are not ours, and some of them may be stopped.
        if self
            .process
            .as_mut()
            .is_some_and(|process| process.status().is_none())
        {
            self.signal(Signal::SIGKILL);
        }
    }
}

/// The folder of the newest server: Debian keeps each version in its own.
fn binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let numbered = versions.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let bin = entry.path().join("bin");
        (version >= 14 && bin.join("initdb").is_file()).then_some((version, bin))
    });
    let newest = numbered.max().map(|(_, bin)| bin);
    newest.or_else(|| find("initdb")?.parent().map(Path::to_path_buf))
}
