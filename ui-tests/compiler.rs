//! The compiler, called directly.
//!
//! Cargo is asked once where it has put the crates that the cases use. After that a case costs one
//! call of `rustc`, may have an edition of its own, and may know a crate under another name.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The crates that a case may use.
const CRATES: &[&str] = &[
    "actix_rt",
    "actix_web",
    "anyhow",
    "async_std",
    "async_trait",
    "axum",
    "clap",
    "color_eyre",
    "embassy_executor",
    "futures_util",
    "macroquad_macro",
    "miette",
    "pidfile",
    "rocket",
    "rstest",
    "serial_test",
    "smol",
    "snafu",
    "tarpc",
    "tempfile",
    "test_case",
    "test_log",
    "tokio",
    "tracing",
    "wasm_bindgen",
];

/// How a case wants to be compiled. Said in its first lines, as `//@ key: value`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    /// Without any: the newest one.
    pub(crate) editions: Vec<String>,
    /// With clippy as well, which the case is strict with.
    pub(crate) clippy: bool,
    /// As a test harness.
    pub(crate) test: bool,
    /// The name under which the case knows `pidfile`.
    pub(crate) rename: Option<String>,
}

impl Wishes {
    pub(crate) fn of(source: &str) -> Wishes {
        let mut wishes = Wishes::default();
        for line in source.lines().map_while(|line| line.strip_prefix("//@ ")) {
            match line.split_once(": ").unwrap_or((line, "")) {
                ("editions", editions) => {
                    wishes.editions = editions.split(' ').map(Into::into).collect();
                }
                ("clippy", "") => wishes.clippy = true,
                ("test", "") => wishes.test = true,
                ("rename", name) => wishes.rename = Some(name.into()),
                _ => panic!("unknown wish: `{line}`"),
            }
        }
        if wishes.editions.is_empty() {
            wishes.editions.push("2024".into());
        }
        wishes
    }
}

/// A call of the compiler, or of something that can be called like it.
pub(crate) fn command(program: &str, wishes: &Wishes, edition: &str) -> Command {
    let crates = crates();
    let mut command = Command::new(program);
    // Paths in messages are relative to here, so that they read the same everywhere.
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["--edition", edition, "--crate-name", "case"]);
    if wishes.test {
        command.arg("--test");
    }
    for (name, file) in crates {
        let name = match &wishes.rename {
            Some(other) if name == "pidfile" => other,
            _ => name,
        };
        let mut value = OsString::from(format!("{name}="));
        value.push(file);
        command.arg("--extern").arg(value);
        if let Some(deps) = file.parent() {
            let mut value = OsString::from("dependency=");
            value.push(deps);
            command.arg("-L").arg(value);
        }
    }
    command
}

/// The `rustc` that everything else here was compiled with.
pub(crate) fn rustc() -> String {
    env::var("RUSTC").unwrap_or_else(|_| "rustc".into())
}

/// The clippy that belongs to it, if it is there.
pub(crate) fn clippy() -> Option<String> {
    let output = Command::new(rustc())
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let driver = Path::new(sysroot.trim()).join("bin/clippy-driver");
    let driver = driver.to_str()?;
    let version = Command::new(driver).arg("--version").output().ok()?;
    version.status.success().then(|| driver.into())
}

/// Whether this is the toolchain whose own words are on record.
pub(crate) fn is_pinned() -> bool {
    static VERSION: OnceLock<String> = OnceLock::new();
    let version = VERSION.get_or_init(|| {
        let output = Command::new(rustc())
            .arg("--version")
            .output()
            .expect("rustc runs");
        String::from_utf8(output.stdout).expect("rustc writes UTF-8")
    });
    version.starts_with(&format!("rustc {} ", crate::PINNED))
}

/// Where the crates are.
fn crates() -> &'static BTreeMap<String, PathBuf> {
    static FOUND: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| {
        // The same command that has built this test, so there is nothing left to build.
        let output = Command::new(env!("CARGO"))
            .args([
                "test",
                "--no-run",
                "--offline",
                "--quiet",
                "--message-format",
                "json",
            ])
            .args(["--package", env!("CARGO_PKG_NAME")])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        let report = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
        // A crate may have been built twice, for procedural macros with fewer features.
        let mut found: BTreeMap<String, (usize, PathBuf)> = BTreeMap::new();
        for (name, features, file) in report.lines().filter_map(library) {
            if found.get(&name).is_none_or(|(most, _)| *most < features) {
                found.insert(name, (features, file));
            }
        }
        for name in CRATES {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(
                found.contains_key(*name),
                "cargo has not built {name}: {errors}"
            );
        }
        found
            .into_iter()
            .map(|(name, (_, file))| (name, file))
            .collect()
    })
}

/// The library that a line of cargo's report is about, if it is one of ours, and the number of its
/// features.
fn library(line: &str) -> Option<(String, usize, PathBuf)> {
    let line: Value = serde_json::from_str(line).ok()?;
    let name = line["target"]["name"].as_str()?.replace('-', "_");
    if line["reason"] != "compiler-artifact" || !CRATES.contains(&name.as_str()) {
        return None;
    }
    let files = line["filenames"].as_array()?;
    let file = files
        .iter()
        .filter_map(Value::as_str)
        .map(Path::new)
        .find(|file| {
            let kind = file.extension().unwrap_or_default();
            kind == "rlib" || kind == env::consts::DLL_EXTENSION
        })?;
    let features = line["features"].as_array().map_or(0, Vec::len);
    Some((name, features, file.to_owned()))
}
