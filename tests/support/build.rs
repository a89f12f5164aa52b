//! Programs that a test writes and builds.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::Sandbox;
use super::system::needs;

/// The workspace that these tests belong to.
pub(crate) const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The target directory of every build that a test starts, so that each crate is built once. It is
/// not that of these tests, whose builds would then wait for one another.
pub(crate) fn target_dir() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
        .ancestors()
        .find(|dir| dir.ends_with("target"))
        .unwrap_or(Path::new(env!("CARGO_TARGET_TMPDIR")))
        .join("built-by-tests")
}

/// A crate of the test's own: `manifest` follows the `[package]` section, and each source is a path
/// and its text.
pub(crate) fn write_crate(dir: &Path, name: &str, manifest: &str, sources: &[(&str, &str)]) {
    fs::create_dir_all(dir.join("src")).expect("a folder for the crate");
    let head = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n"
    );
    fs::write(dir.join("Cargo.toml"), head + manifest).expect("a manifest");
    for (path, text) in sources {
        fs::write(dir.join(path), text).expect("a source");
    }
    // The same versions, which are on the machine already.
    let lock = Path::new(WORKSPACE).join("Cargo.lock");
    fs::copy(lock, dir.join("Cargo.lock")).expect("the workspace has a lock file");
}

/// Runs cargo in a directory, offline. Without cargo, or where it may not write, the test is
/// skipped: that is the case of a user who did not build the tests.
pub(crate) fn cargo(dir: &Path, arguments: &[&str]) -> Option<Output> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let mut command = Command::new(program);
    let target = target_dir();
    let usable = fs::create_dir_all(&target).is_ok() && tempfile::tempfile_in(&target).is_ok();
    let output = command
        .args(arguments)
        .args(["--offline", "--target-dir"])
        .arg(target)
        .current_dir(dir)
        .output();
    let output = output.ok().filter(|_| usable);
    needs(
        output.is_some(),
        "cargo, and a target directory to write to",
    );
    output
}

/// Builds a program that has two copies of the crate, `pidfile` and `other`, from sources as in
/// [`write_crate`]. `None` if the test cannot build.
pub(crate) fn two_copies(name: &str, sources: &[(&str, &str)]) -> Option<PathBuf> {
    let sandbox = Sandbox::new();
    let copy = sandbox.path("copy");
    let manifest = "[dependencies]\n\
        ctor = { version = \"1\", default-features = false }\n\
        nix = { version = \"0.31\", default-features = false, features = [\"fs\", \"inotify\", \"poll\", \"process\", \"signal\", \"user\"] }\n\
        thiserror = \"2\"\n";
    // Its version differs from that of the workspace's.
    write_crate(&copy, "pidfile", manifest, &[]);
    let runtime = Path::new(WORKSPACE).join("pidfile/src");
    let copied = Command::new("cp")
        .arg("-R")
        .arg(runtime)
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    let dir = sandbox.path("program");
    let manifest = format!(
        "[dependencies]\n\
        nix = {{ version = \"0.31\", default-features = false, features = [\"process\", \"sched\", \"signal\"] }}\n\
        pidfile = {{ path = \"{WORKSPACE}/pidfile\", default-features = false }}\n\
        other = {{ package = \"pidfile\", path = \"{}\" }}\n",
        copy.display()
    );
    write_crate(&dir, name, &manifest, sources);
    let output = cargo(&dir, &["build", "--quiet"])?;
    let messages = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{messages}");
    Some(target_dir().join("debug").join(name))
}

/// Compiles a C program, or with `-shared` a library. `None` without a compiler.
pub(crate) fn cc(output: &Path, source: &str, arguments: &[&OsStr]) -> Option<PathBuf> {
    let file = output.with_extension("c");
    fs::write(&file, source).expect("a source");
    let compiled = Command::new("cc")
        .arg("-o")
        .args([output, &file])
        .args(arguments)
        .output()
        .ok();
    if !needs(compiled.is_some(), "cc") {
        return None;
    }
    let compiled = compiled.expect("it has run");
    assert!(compiled.status.success(), "{compiled:?}");
    Some(output.to_path_buf())
}
