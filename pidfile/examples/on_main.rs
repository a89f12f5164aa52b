//! A small daemon of which only one instance runs, by the attribute on `main`.
//!
//! ```text
//! cargo run --example on_main
//! ```
//!
//! It prints which file it holds and works until it is stopped. A second
//! instance prints which process holds the file and exits with status 75.
//! Ctrl-C, `kill` and a closed terminal leave no file behind.

use std::process;
use std::thread;
use std::time::Duration;

use pidfile::{Options, pidfile};

const NAME: &str = "thermod";

#[pidfile(name = NAME, chmod = 0o600)]
fn main() {
    let path = Options::new()
        .name(NAME)
        .resolved_path()
        .expect("it was resolved a moment ago, to get here");
    println!(
        "process {} holds {}; Ctrl-C ends it",
        process::id(),
        path.display()
    );

    // What a daemon does all day. Nothing here needs to know about the file.
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}
