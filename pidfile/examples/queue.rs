//! A job that waits for its turn: several of them run one after another.
//!
//! ```text
//! cargo run --example queue -- first & cargo run --example queue -- second & wait
//! ```

use std::env;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use pidfile::Options;

fn main() -> ExitCode {
    let job = env::args().nth(1).unwrap_or_else(|| "job".into());
    let options = Options::new()
        .name("thermod-queue")
        .wait(Duration::from_secs(60));
    let held = match options.acquire() {
        Ok(held) => held,
        Err(error) => {
            eprintln!("queue: {job}: {error:#}");
            return ExitCode::from(error.exit_code());
        }
    };
    println!("{job} begins");
    thread::sleep(Duration::from_millis(500)); // The work.
    println!("{job} ends");

    // This wakes the next one.
    match held.release() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("queue: {job}: {error:#}");
            ExitCode::from(error.exit_code())
        }
    }
}
