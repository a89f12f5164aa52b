//! The same daemon as `on_main`, with `Options` instead of the attribute.
//!
//! ```text
//! cargo run --example by_hand
//! ```
//!
//! Both use the same file, so each of them refuses to start while the other one
//! is running.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use pidfile::Options;

fn main() -> ExitCode {
    let held = match Options::new().name("thermod").chmod(0o600).acquire() {
        Ok(held) => held,
        Err(error) => {
            eprintln!("by_hand: {error:#}");
            return ExitCode::from(error.exit_code());
        }
    };
    println!(
        "process {} holds {}; Ctrl-C ends it",
        held.pid(),
        held.path().display()
    );

    // What a daemon does all day. The file is held as long as `held` lives. It is also removed when
    // a signal ends the process.
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}
