//! Checks which process holds a pidfile, and exits as an init script's `status` action does.
//!
//! ```sh
//! cargo run --example status -- /run/thermod.pid
//! ```
//!
//! 0: running. 1: dead, and it has left its file. 3: not running. 4: unknown.

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: status PATH");
        return ExitCode::from(4);
    };
    match pidfile::status(&path) {
        Ok(status) => {
            println!("{}: {status}", path.display());
            ExitCode::from(status.exit_code())
        }
        Err(error) => {
            eprintln!("status: {error:#}");
            ExitCode::from(4)
        }
    }
}
