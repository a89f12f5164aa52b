//! Waiting for a holder to leave, for a while or without an end.

use std::thread;
use std::time::{Duration, Instant};

use pidfile::{PidFile, pidfile};

const SHORT: Duration = Duration::from_millis(250);

#[pidfile("app.pid", wait = "250ms")]
fn literal() -> pidfile::Result<()> {
    Ok(())
}

#[pidfile("app.pid", wait = SHORT)]
fn computed() -> pidfile::Result<()> {
    Ok(())
}

#[pidfile("app.pid", wait = Duration::from_secs(u64::MAX))]
fn too_long_for_the_clock() -> pidfile::Result<()> {
    Ok(())
}

#[pidfile("app.pid", wait)]
fn for_ever() -> pidfile::Result<()> {
    Ok(())
}

#[pidfile("app.pid", wait = "1h30m")]
fn for_long() -> pidfile::Result<()> {
    Ok(())
}

fn main() {
    for waits in [literal, computed, too_long_for_the_clock, for_ever, for_long] {
        waits().unwrap();
    }

    let held = PidFile::acquire("app.pid").unwrap();
    for gives_up in [literal, computed] {
        let start = Instant::now();
        assert!(gives_up().unwrap_err().is_running());
        assert!(start.elapsed() >= SHORT);
    }

    let waiters = [too_long_for_the_clock, for_ever, for_long].map(thread::spawn);
    thread::sleep(SHORT);
    assert!(waiters.iter().all(|waiter| !waiter.is_finished()));
    held.release().unwrap();
    for waiter in waiters {
        waiter.join().unwrap().unwrap();
    }
}
