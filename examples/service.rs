//! `service ACTION`: a daemon that is run from an init script, from cron or by hand.
//!
//! ```text
//! cargo run -p pidfile-examples --bin service -- --pidfile /tmp/thermod.pid start
//! ```
//!
//! The exit statuses are those of the Linux Standard Base: `status` reports 0 running, 1 dead with
//! a pidfile, 3 not running, 4 unknown; the other actions 0 done, 1 failed, 4 not permitted, 7 not
//! running. Starting a service that runs, and stopping one that does not, both succeed.
//!
//! A service that is not ready within `--timeout` is killed, and `start` fails.

use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio, exit};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use clap::{Parser, Subcommand};
use nix::unistd::{User, geteuid, setgid, setgroups, setsid, setuid};
use pidfile::{Options, Reservation, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// A thermometer that measures nothing.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    action: Action,
    /// The pidfile, instead of `thermod.pid` in the default directory.
    #[arg(long, global = true)]
    pidfile: Option<PathBuf>,
    /// The user to run as, if started by root.
    #[arg(long, global = true)]
    user: Option<String>,
    /// Where `start` lets the service write its log.
    #[arg(long, global = true, default_value = "/dev/null")]
    log: PathBuf,
    /// How many seconds the service has to start, and to end.
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
}

#[derive(Clone, Copy, Subcommand)]
enum Action {
    /// Start in the background.
    Start,
    /// Stop, and wait until it has ended.
    Stop,
    /// Stop if it runs, and start.
    Restart,
    /// Read the configuration again.
    Reload,
    /// Print whether it runs.
    Status,
    /// Run in the foreground.
    Run,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const NOT_RUNNING: u8 = 7;

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    arguments.user.take_if(|_| !geteuid().is_root());
    take(&arguments).unwrap_or_else(|error| {
        eprintln!("service: {error}");
        let error = error.downcast_ref::<pidfile::Error>();
        let is_forbidden = error.is_some_and(|error| error.exit_code() == 77);
        ExitCode::from(if is_forbidden { 4 } else { 1 })
    })
}

fn take(arguments: &Arguments) -> Result<ExitCode> {
    let options = match &arguments.pidfile {
        Some(path) => Options::new().path(path),
        None => Options::new().name("thermod"),
    };
    let options = match &arguments.user {
        Some(user) => options.owner(user),
        None => options,
    };
    let patience = Duration::from_secs(arguments.timeout);
    match arguments.action {
        Action::Run => run(arguments, &options)?,
        Action::Restart => start(arguments, &options.replace(patience).reserve()?, patience)?,
        Action::Start => match options.reserve() {
            Err(error @ pidfile::Error::Locked { .. }) => println!("already running: {error}"),
            reserved => start(arguments, &reserved?, patience)?,
        },
        Action::Stop => match options.holder()? {
            Some(holder) => holder.stop(patience)?,
            None => println!("not running"),
        },
        Action::Reload => match options.holder()? {
            Some(holder) => holder.signal(Signal::HUP)?,
            None => return Ok(ExitCode::from(NOT_RUNNING)),
        },
        Action::Status => {
            let status = options.status()?;
            println!("{}: {status}", options.resolved_path()?.display());
            return Ok(ExitCode::from(status.exit_code()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts `run` in the background, and passes the file on to it. The file was reserved here, so that
/// a refusal reaches the terminal.
fn start(arguments: &Arguments, reserved: &Reservation, patience: Duration) -> Result<()> {
    let mut log = File::options();
    let log = log.create(true).append(true).open(&arguments.log)?;
    let mut service = Command::new(std::env::current_exe()?);
    service.arg("run").arg("--pidfile").arg(reserved.path());
    if let Some(user) = &arguments.user {
        service.arg("--user").arg(user);
    }
    service
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log);
    reserved.pass_to(&mut service)?;
    let mut service = service.spawn()?;
    let output = BufReader::new(service.stdout.take().ok_or("no pipe")?);
    let (sender, first_line) = channel();
    thread::spawn(move || sender.send(output.lines().next()));
    match first_line.recv_timeout(patience) {
        // Without dropping the reservation, which belongs to the service by now.
        Ok(Some(Ok(_))) => exit(0),
        Ok(_) => Err(format!("it has not started: {}", service.wait()?).into()),
        Err(_) => {
            service.kill()?;
            service.wait()?;
            Err(format!("it was not ready after {patience:?}, and was killed").into())
        }
    }
}

fn run(arguments: &Arguments, options: &Options) -> Result<()> {
    // Before the file is acquired, so that no signal is lost in between.
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    let held = match Reservation::inherited()? {
        Some(reserved) => {
            setsid()?; // Away from the terminal.
            reserved.adopt()?
        }
        None => options.acquire()?,
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    if let Some(name) = &arguments.user {
        let user = User::from_name(name)?.ok_or("there is no such user")?;
        setgroups(&[])?;
        setgid(user.gid)?;
        setuid(user.uid)?;
    }
    tracing::info!(pid = held.pid(), path = %held.path().display(), "running");
    // Ignored: in the foreground, the output may be closed.
    let _ = writeln!(stdout(), "ready");
    for signal in signals.forever() {
        if signal != SIGHUP {
            break;
        }
        held.verify()?; // If the file is lost, another instance may be running.
        tracing::info!("configuration read again");
    }
    tracing::info!("stopping");
    Ok(held.release()?)
}
