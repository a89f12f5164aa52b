//! A program that handles SIGTERM itself: it finishes its work first, and then
//! removes the file.
//!
//! ```text
//! cargo run --example graceful
//! ```
//!
//! tokio installs its handler after ours, and calls ours from it. Ours sees that
//! it is no longer the installed one, and leaves the shutdown to the program.

use std::error::Error;
use std::time::Duration;

use pidfile::Options;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

fn main() -> Result<(), Box<dyn Error>> {
    // Held from before the runtime starts until it has shut down.
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
