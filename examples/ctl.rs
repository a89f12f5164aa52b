//! `ctl PATH ACTION`: acts on the process that holds a pidfile, whichever program it runs.
//!
//! Use it instead of `start-stop-daemon --stop --pidfile` and `pkill --pidfile`, which signal
//! whichever process has the recorded number. `ctl` signals the process that has the lock, or none.
//!
//! ```text
//! cargo install --path examples --bin ctl
//! ctl /run/thermod.pid holder
//! ctl /run/thermod.pid signal HUP
//! ctl /run/thermod.pid stop --timeout 10 --kill
//! ```
//!
//! | status | meaning |
//! |---|---|
//! | 0 | done, or held |
//! | 2 | the holder is still there |
//! | 3 | no process holds the file |
//! | 4 | the holder cannot be identified, or the action was refused |
//! | 64 | the command line is wrong |

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use pidfile::{Error, Holder, Signal, Status};
use serde_json::{Value, json};

/// Deal with the process that holds a pidfile, and with no other.
#[derive(Parser)]
struct Arguments {
    /// The pidfile.
    path: PathBuf,
    #[command(subcommand)]
    action: Action,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    /// How many seconds to wait.
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
}

#[derive(Subcommand)]
enum Action {
    /// Print which process holds the file.
    Holder,
    /// Print what the file stands for.
    Status,
    /// Send a signal to the holder.
    Signal {
        /// A name such as HUP, or a number.
        signal: Signal,
    },
    /// Ask the holder to end, and wait until it has (10 seconds, unless --timeout says otherwise).
    Stop {
        /// End it with SIGKILL if it has not ended in time.
        #[arg(long)]
        kill: bool,
    },
    /// Wait until the holder has ended (without a limit, unless --timeout says otherwise).
    Wait,
}

const DONE: u8 = 0;
const STILL_THERE: u8 = 2;
const NO_HOLDER: u8 = 3;
const CANNOT_TELL: u8 = 4;
const USAGE: u8 = 64;

/// How long a holder that was killed may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// The result of an action: an exit status, a sentence for a person and an object for a program.
struct Outcome(u8, String, Value);

fn main() -> ExitCode {
    let arguments = Arguments::try_parse().unwrap_or_else(|error| {
        let status = if error.use_stderr() { USAGE } else { DONE };
        // Ignored: if it cannot be printed, there is still the status.
        let _ = error.print();
        std::process::exit(status.into())
    });
    let Outcome(status, sentence, mut object) =
        take(&arguments).unwrap_or_else(|error| refused(&error));
    if arguments.json {
        object["path"] = json!(arguments.path.to_string_lossy());
        object["exit"] = json!(status);
        println!("{object}");
    } else if matches!(status, DONE | NO_HOLDER) {
        println!("{sentence}");
    } else {
        eprintln!("ctl: {sentence}");
    }
    ExitCode::from(status)
}

fn take(arguments: &Arguments) -> pidfile::Result<Outcome> {
    let path = &arguments.path;
    if let Action::Status = arguments.action {
        let status = pidfile::status(path)?;
        let code = match status {
            Status::NotPidfile => CANNOT_TELL,
            status if status.is_running() => DONE,
            _ => NO_HOLDER,
        };
        let object = json!({ "status": status.to_string(), "pid": status.pid() });
        return Ok(Outcome(code, status.to_string(), object));
    }
    let Some(holder) = pidfile::holder(path)? else {
        let sentence = format!("no process holds {}", path.display());
        return Ok(Outcome(NO_HOLDER, sentence, json!({ "pid": null })));
    };
    let done = |word| {
        Ok(Outcome(
            DONE,
            format!("{word}: {}", named(&holder)),
            object(&holder),
        ))
    };
    match &arguments.action {
        Action::Holder | Action::Status => Ok(Outcome(DONE, named(&holder), object(&holder))),
        Action::Signal { signal } => {
            holder.signal(*signal)?;
            done("signalled")
        }
        Action::Stop { kill } => {
            let stopped = holder.stop(arguments.timeout.unwrap_or(Duration::from_secs(10)));
            match stopped {
                Err(Error::StillRunning { .. }) if *kill => {
                    holder.kill(AFTER_KILL)?;
                    done("killed")
                }
                stopped => stopped.and_then(|()| done("stopped")),
            }
        }
        Action::Wait if holder.wait(arguments.timeout)? => done("ended"),
        Action::Wait => Ok(Outcome(
            STILL_THERE,
            format!("still there: {}", named(&holder)),
            object(&holder),
        )),
    }
}

fn refused(error: &Error) -> Outcome {
    let status = match error {
        Error::StillRunning { .. } => STILL_THERE,
        _ => CANNOT_TELL,
    };
    let text = format!("{error:#}");
    Outcome(
        status,
        text.clone(),
        json!({ "error": text, "pid": error.pid() }),
    )
}

fn named(holder: &Holder) -> String {
    let program = holder.program().unwrap_or("unknown program");
    let suspended = if holder.is_suspended() {
        ", suspended"
    } else {
        ""
    };
    format!("process {} ({program}{suspended})", holder.pid())
}

fn object(holder: &Holder) -> Value {
    json!({
        "pid": holder.pid(),
        "program": holder.program(),
        "uid": holder.uid(),
        "suspended": holder.is_suspended(),
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}
