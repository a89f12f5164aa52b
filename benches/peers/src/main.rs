//! `peers CRATE DIR`: acquires and releases with another crate, in turns, as `bench-worker` does.

use std::fs::Permissions;
use std::io::{Write, stdin, stdout};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Instant;

use pidfile_rs::Pidfile;
use pidlock::Pidlock;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, dir] = &arguments[..] else {
        return Err("two arguments are needed: the crate and a directory".into());
    };
    let round: fn(&Path) -> Result<()> = match name.as_str() {
        "pidfile-rs" => pidfile_rs,
        "pidlock" => pidlock,
        _ => return Err(format!("the crate {name} is not measured").into()),
    };
    let path = Path::new(dir).join(name).with_extension("pid");
    say("ready")?;
    for line in stdin().lines() {
        let rounds: u32 = line?.trim().parse()?;
        let begun = Instant::now();
        for _ in 0..rounds {
            round(&path)?;
        }
        say(&(begun.elapsed() / rounds).as_nanos().to_string())?;
    }
    Ok(())
}

fn pidfile_rs(path: &Path) -> Result<()> {
    let mut held = Pidfile::new(path, Permissions::from_mode(0o644))?;
    held.write()?;
    Ok(()) // Dropping it removes the file.
}

fn pidlock(path: &Path) -> Result<()> {
    let mut held = Pidlock::new_validated(path)?;
    held.acquire()?;
    held.release()?;
    Ok(())
}

fn say(text: &str) -> Result<()> {
    println!("{text}");
    Ok(stdout().flush()?)
}
