//! `service ACTION`: a daemon that is run from an init script, from cron or by hand.
//!
//! ```text
//! cargo run -p pidfile-examples --bin service -- --pidfile /tmp/thermod.pid start
//! ```
//!
//! The exit statuses are those of the Linux Standard Base: `status` reports 0 running, 1 dead with
//! a pidfile, 3 not running, 4 unknown; the other actions 0 done, 1 failed, 4 not permitted, 7 not
//! running. Starting a service that runs, and stopping one that does not, both succeed.

use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio, exit};
use std::time::Duration;

use clap::{Parser, Subcommand};
use nix::unistd::{User, geteuid, setgid, setgroups, setsid, setuid};
use pidfile::{Options, PidFile, Reservation, Signal};
use serde_json::json;
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
    Status {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Run in the foreground.
    Run,
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PATIENCE: Duration = Duration::from_secs(10);
const NOT_RUNNING: u8 = 7;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    take(&arguments).unwrap_or_else(|error| {
        eprintln!("service: {error}");
        let error = error.downcast_ref::<pidfile::Error>();
        let is_forbidden = error.is_some_and(|error| error.exit_code() == 77);
        ExitCode::from(if is_forbidden { 4 } else { 1 })
    })
}

fn take(arguments: &Arguments) -> Result<ExitCode> {
    let options = options(arguments);
    match arguments.action {
        Action::Run => run(arguments, &options)?,
        Action::Restart => start(arguments, &options.replace(PATIENCE))?,
        Action::Start => match start(arguments, &options) {
            Err(error) if is_running(&*error) => println!("already running: {error}"),
            started => started?,
        },
        Action::Stop => match options.holder()? {
            Some(holder) => holder.stop(PATIENCE)?,
            None => println!("not running"),
        },
        Action::Reload => match options.holder()? {
            Some(holder) => holder.signal(Signal::HUP)?,
            None => return Ok(ExitCode::from(NOT_RUNNING)),
        },
        Action::Status { json } => {
            let status = options.status()?;
            if json {
                println!(
                    "{}",
                    json!({ "status": status.to_string(), "pid": status.pid() })
                );
            } else {
                println!("{}: {status}", options.resolved_path()?.display());
            }
            return Ok(ExitCode::from(status.exit_code()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn options(arguments: &Arguments) -> Options {
    let options = match &arguments.pidfile {
        Some(path) => Options::new().path(path),
        None => Options::new().name("thermod"),
    };
    match &arguments.user {
        Some(user) if geteuid().is_root() => options.owner(user),
        _ => options,
    }
}

/// Whether the service is already running. A holder that was not replaced in time is a failure.
fn is_running(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(pidfile::Error::Locked { .. }))
}

/// Starts `run` in the background. The file is acquired here, so that a refusal reaches the
/// terminal, and then passed on.
fn start(arguments: &Arguments, options: &Options) -> Result<()> {
    let reserved = options.reserve()?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(&arguments.log)?;
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
    let mut line = String::new();
    BufReader::new(service.stdout.take().ok_or("no pipe")?).read_line(&mut line)?;
    if line.trim() == "ready" {
        exit(0) // Without dropping the reservation, which belongs to the service by now.
    }
    Err(format!("it has not started: {}", service.wait()?).into())
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
    if let Some(name) = arguments.user.as_deref().filter(|_| geteuid().is_root()) {
        let user = User::from_name(name)?.ok_or("there is no such user")?;
        setgroups(&[])?;
        setgid(user.gid)?;
        setuid(user.uid)?;
    }
    tracing::info!(pid = held.pid(), path = %held.path().display(), "running");
    // Ignored: in the foreground, the output may be closed.
    let _ = writeln!(stdout(), "ready");
    serve(&mut signals, &held);
    Ok(held.release()?)
}

fn serve(signals: &mut Signals, held: &PidFile) {
    for signal in signals.forever() {
        match (signal, held.verify()) {
            (SIGHUP, Ok(())) => tracing::info!("configuration read again"),
            (SIGHUP, Err(lost)) => return tracing::error!("{lost}"),
            _ => return tracing::info!("stopping"),
        }
    }
}
