//! A dependency under another name, with and without `crate =`.
//!
//! What the attribute knows of it stands in a manifest, so each case has one of its own.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::compiler::{self, Wishes};

const RENAMED: &str = "[dependencies]\npf = { package = \"pidfile\", version = \"0.1\" }\n";

/// What rustc has to say about this program, in a package with these manifests: that of the package
/// and, if there is one, that of its workspace.
fn messages(
    manifest: &str,
    workspace: Option<&str>,
    environment: &[(&str, &str)],
    source: &str,
) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a folder");
    let package = folder.path().join("crates/thermod");
    fs::create_dir_all(&package).expect("a folder of the package");
    fs::write(package.join("Cargo.toml"), manifest).expect("a manifest");
    if let Some(workspace) = workspace {
        fs::write(folder.path().join("Cargo.toml"), workspace).expect("a manifest");
    }
    let file = package.join("main.rs");
    fs::write(&file, source).expect("a source");
    let output = compiler::command(&compiler::rustc(), &Wishes::of(source), "2024")
        .args(["--error-format", "json", "--emit", "metadata", "--out-dir"])
        .args([&package, &file])
        .env("CARGO_MANIFEST_DIR", &package)
        .env("CARGO_PKG_NAME", "thermod")
        .envs(environment.iter().copied())
        .output()
        .expect("rustc runs");
    about_code(&output.stderr)
}

/// The messages that point at something.
fn about_code(report: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(report.to_vec()).expect("rustc writes UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("rustc writes JSON"))
        .map(|line: Value| match line.get("message") {
            Some(message) if message.is_object() => message.clone(),
            _ => line,
        })
        .filter(|message| {
            message["spans"]
                .as_array()
                .is_some_and(|spans| !spans.is_empty())
        })
        .collect()
}

/// The words of each message, and the code that it points at.
fn shown(messages: &[Value]) -> Vec<(String, String)> {
    let shown = |message: &Value| {
        let span = &message["spans"][0];
        let text = span["text"][0]["text"].as_str().expect("a line");
        let [start, end] = ["column_start", "column_end"]
            .map(|column| usize::try_from(span[column].as_u64().expect("a column")).unwrap() - 1);
        (
            message["message"].as_str().expect("words").to_owned(),
            text[start..end].to_owned(),
        )
    };
    messages.iter().map(shown).collect()
}

fn expected(attribute: &str) -> Vec<(String, String)> {
    let message = "`pidfile` is called `pf` in Cargo.toml; write `crate = pf`";
    vec![(message.to_owned(), attribute.to_owned())]
}

#[test]
fn another_name_is_one_error_with_what_to_write() {
    for (attribute, item) in [
        ("#[pidfile]", "fn main() {}"),
        (
            "#[pidfile(\"/run/thermod.pid\")]",
            "fn main() -> pf::Result<()> { Ok(()) }",
        ),
        (
            "#[pf::pidfile(\"a.pid\", lock)]",
            "fn f() -> u8 { 1 } fn main() { f(); }",
        ),
        (
            "#[pidfile(\"a.pid\", on_error = |_| 2)]",
            "fn f() -> u8 { 1 } fn main() { f(); }",
        ),
        (
            "#[pidfile(path = crate::PATH)]",
            "async fn f(a: &str) { drop(a); } fn main() { drop(f(\"\")); }",
        ),
        (
            "#[pidfile(held = guard)]",
            "fn main() { guard.verify().unwrap(); }",
        ),
        ("#[pidfile]", "#[tokio::main] async fn main() {}"),
    ] {
        let source = format!(
            "//@ rename: pf\n#[allow(unused)] use pf::pidfile;\n\
             pub const PATH: &str = \"a.pid\";\n{attribute}\n{item}\n"
        );
        let found = shown(&messages(RENAMED, None, &[], &source));
        assert_eq!(found, expected(attribute), "{source}");
    }
}

#[test]
fn the_name_may_come_from_the_workspace() {
    let source = "//@ rename: pf\n#[pf::pidfile]\nfn main() {}\n";
    let member = "[dependencies]\npf.workspace = true\n";
    let root = "[workspace]\nmembers = [\"crates/*\"]\n\
                [workspace.dependencies]\npf = { package = \"pidfile\", path = \"/nowhere\" }\n";
    let found = shown(&messages(member, Some(root), &[], source));
    assert_eq!(found, expected("#[pf::pidfile]"));
    let named = format!("[package]\nworkspace = \"../..\"\n{member}");
    let found = shown(&messages(&named, Some(root), &[], source));
    assert_eq!(found, expected("#[pf::pidfile]"));
}

#[test]
fn other_mistakes_are_reported_beside_it() {
    let source = "//@ rename: pf\n#[pf::pidfile(\"a.pid\", chmod = 600)]\nfn main() {}\n";
    let mut wanted = expected("#[pf::pidfile(\"a.pid\", chmod = 600)]");
    wanted.insert(
        0,
        (
            "`chmod` is written in octal: `0o600` (decimal 600 is mode 0o1130)".into(),
            "600".into(),
        ),
    );
    let mut found = shown(&messages(RENAMED, None, &[], source));
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);
}

#[test]
fn a_path_that_is_given_wrong_is_the_only_mistake() {
    for value in ["crate", "crate =", "crate = 1", "krate = pf"] {
        let source =
            format!("//@ rename: pf\n#[pf::pidfile(\"a.pid\", {value})]\nfn main() {{}}\n");
        let found = messages(RENAMED, None, &[], &source);
        let ours: Vec<_> = shown(&found)
            .into_iter()
            .filter(|(message, _)| message.contains("is called"))
            .collect();
        assert_eq!(ours, [], "{source}");
        assert!(!found.is_empty(), "{source}");
    }
}

#[test]
fn nothing_is_said_where_the_path_is_right() {
    let plain = "#[pidfile::pidfile]\nfn main() {}\n";
    let given = "//@ rename: pf\n#[pf::pidfile(crate = pf)]\nfn main() {}\n";
    let both = format!("{RENAMED}pidfile = \"0.2\"\n");
    let none: &[(&str, &str)] = &[];
    for (manifest, environment, source) in [
        (RENAMED, none, given),
        (&both, none, plain),
        ("[dependencies]\npidfile = \"0.1\"\n", none, plain),
        ("", none, plain),
        (RENAMED, &[("CARGO_PKG_NAME", "pidfile")], plain),
        (RENAMED, &[("CARGO_MANIFEST_DIR", "/nonexistent")], plain),
    ] {
        let found = shown(&messages(manifest, None, environment, source));
        assert_eq!(found, [], "{manifest} {environment:?} {source}");
    }
}

#[test]
fn cargo_builds_a_package_only_with_the_name_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).expect(path);
    fs::create_dir(folder.path().join("src")).expect("a folder");
    fs::copy(root.join("Cargo.lock"), folder.path().join("Cargo.lock")).expect("a lock file");
    write(
        "Cargo.toml",
        &format!(
            "[package]\nname = \"thermod\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
             pf = {{ package = \"pidfile\", path = {:?} }}\n",
            root.join("pidfile")
        ),
    );
    let check = |source: &str| {
        write("src/main.rs", source);
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--quiet", "--message-format", "json"])
            .arg("--target-dir")
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("../built-by-tests"))
            .current_dir(folder.path())
            .output()
            .expect("cargo runs");
        (output.status.success(), shown(&about_code(&output.stdout)))
    };
    let source = "use pf::pidfile;\n\n#[pidfile]\nfn main() {}\n";
    assert_eq!(check(source), (false, expected("#[pidfile]")));
    let given = source.replace("#[pidfile]", "#[pidfile(crate = pf)]");
    assert_eq!(check(&given), (true, vec![]));
}
