//! Asks who holds a pidfile, as the `status` action of an init script does.
//!
//! ```text
//! cargo run --example status -- /run/thermod.pid
//! ```
//!
//! Exits with 0 if somebody holds it, 1 if the file is stale, 3 if there is
//! none, and 4 if that cannot be said (Linux Standard Base, "Init Script
//! Actions"). It changes nothing, and disturbs nobody who starts meanwhile.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use pidfile::Status;

/// The Linux Standard Base's "unknown".
const UNKNOWN: u8 = 4;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: status PIDFILE");
        return ExitCode::from(UNKNOWN);
    };
    match pidfile::status(&path) {
        Ok(status) => {
            println!("{}: {}", path.display(), describe(status));
            ExitCode::from(status.exit_code())
        }
        Err(error) => {
            eprintln!("status: {error:#}");
            ExitCode::from(UNKNOWN)
        }
    }
}

fn describe(status: Status) -> String {
    match status {
        Status::Absent => "not there, so nobody holds it".into(),
        Status::Stale { pid: Some(pid) } => format!("stale, left by process {pid}"),
        Status::Stale { pid: None } => "stale and empty".into(),
        Status::Held { pid: Some(pid) } => format!("held by process {pid}"),
        Status::Held { pid: None } => "held by a process that it does not name".into(),
        Status::Own => "held by this process".into(),
        Status::NotPidfile => "not a pidfile".into(),
    }
}
