//! A program that handles SIGTERM itself: the work is finished first, then the
//! file goes.
//!
//! ```text
//! cargo run --example graceful
//! ```
//!
//! tokio's handler comes later than ours and calls it. Ours sees that it is not
//! the signal's own handler any more, and leaves the shutdown to the program.

use std::error::Error;
use std::time::Duration;

use pidfile::Options;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

fn main() -> Result<(), Box<dyn Error>> {
    // Before the runtime starts and until it is gone.
    let held = Options::new().name("thermod-graceful").acquire()?;
    tokio::runtime::Runtime::new()?.block_on(serve(held.path().display().to_string()))?;
    held.release()?;
    println!("gone");
    Ok(())
}

async fn serve(path: String) -> Result<(), Box<dyn Error>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!(
        "process {} holds {path}; Ctrl-C ends it",
        std::process::id()
    );
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    println!("finishing");
    sleep(Duration::from_millis(200)).await; // The work that must not be cut off.
    Ok(())
}
