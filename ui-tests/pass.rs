//! What must stay legal: every program in `pass/` compiles without a warning, runs to its end, and
//! leaves nothing behind.
//!
//! A program runs in an empty folder of its own, which is also its run-time directory, so it may
//! name its pidfiles as it likes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cases;
use crate::compiler::{self, Wishes};

#[test]
fn programs_compile_and_run() {
    cases::for_each("pass", |file, source| {
        let wishes = Wishes::of(source);
        for edition in &wishes.editions {
            compile_and_run(file, &wishes, edition).map_err(|why| format!("({edition}) {why}"))?;
        }
        Ok(())
    });
}

#[test]
fn strict_programs_satisfy_clippy() {
    let Some(clippy) = compiler::clippy() else {
        return crate::skip("clippy is not installed");
    };
    cases::for_each("pass", |file, source| {
        let wishes = Wishes::of(source);
        if !wishes.clippy {
            return Ok(());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let checked = compiler::command(&clippy, &wishes, &wishes.editions[0])
            .args(["--emit", "metadata", "--out-dir"])
            .arg(folder.path())
            .arg(file)
            .output()
            .map_err(|error| error.to_string())?;
        if checked.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&checked.stderr).into_owned())
    });
}

fn compile_and_run(file: &Path, wishes: &Wishes, edition: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let program = folder.path().join("case");
    let compiled = compiler::command(&compiler::rustc(), wishes, edition)
        .args(["-D", "warnings", "-o"])
        .arg(&program)
        .arg(file)
        .output()
        .map_err(|error| error.to_string())?;
    if !compiled.status.success() {
        return Err(String::from_utf8_lossy(&compiled.stderr).into_owned());
    }

    let sandbox = folder.path().join("sandbox");
    fs::create_dir(&sandbox).map_err(|error| error.to_string())?;
    let ran = Command::new(&program)
        .current_dir(&sandbox)
        .env("RUNTIME_DIRECTORY", &sandbox)
        .env("RUST_BACKTRACE", "0")
        .output()
        .map_err(|error| error.to_string())?;
    let said = [ran.stdout, ran.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    if !ran.status.success() {
        return Err(format!("{}\n{}", ran.status, said.concat()));
    }
    let left: Vec<_> = fs::read_dir(&sandbox)
        .map_err(|error| error.to_string())?
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name()))
        .collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("left behind: {left:?}"))
    }
}
