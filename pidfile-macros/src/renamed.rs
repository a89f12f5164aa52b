//! What `pidfile` is called in the crate that uses the attribute.
//!
//! A dependency may have another name in Cargo.toml, and then `::pidfile` leads nowhere. The compiler
//! would say that there is no such crate, which does not help the author of `use pf::pidfile`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use proc_macro2::Ident;

use crate::toml::{self, Entry};

/// What the runtime's package is called everywhere else.
const PACKAGE: &str = "pidfile";

/// A manifest, when it was changed, and the names in it.
type Answer = (PathBuf, SystemTime, Vec<String>);

/// The other names of `pidfile` in the manifest of the crate being compiled. Empty if it goes by its own
/// name, or if the manifest cannot be read.
pub(crate) fn names() -> Vec<String> {
    static LAST: Mutex<Option<Answer>> = Mutex::new(None);

    if env::var_os("CARGO_PKG_NAME").is_some_and(|name| name == PACKAGE) {
        return Vec::new();
    }
    let Some(dir) = env::var_os("CARGO_MANIFEST_DIR") else {
        return Vec::new();
    };
    // A panic of another thread has left a whole answer, or none.
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    names_at(Path::new(&dir), &mut last)
}

/// The same for the manifest in a directory.
///
/// The answer is kept for the next use in the same crate, as long as its manifest has not changed: an
/// editor keeps this macro loaded while it looks at many crates, and while manifests are edited.
fn names_at(dir: &Path, last: &mut Option<Answer>) -> Vec<String> {
    let path = dir.join("Cargo.toml");
    let Ok(changed) = fs::metadata(&path).and_then(|manifest| manifest.modified()) else {
        return Vec::new();
    };
    match last {
        Some((of, at, names)) if *of == path && *at == changed => names.clone(),
        _ => {
            let names = read(dir, &path);
            *last = Some((path, changed, names.clone()));
            names
        }
    }
}

fn read(dir: &Path, path: &Path) -> Vec<String> {
    let Ok(manifest) = fs::read_to_string(path) else {
        return Vec::new();
    };
    names_in(&manifest, |root| match root {
        Some(root) => fs::read_to_string(dir.join(root).join("Cargo.toml")).ok(),
        None => dir.ancestors().skip(1).find_map(|dir| {
            let manifest = fs::read_to_string(dir.join("Cargo.toml")).ok()?;
            is_workspace(&toml::entries(&manifest)).then_some(manifest)
        }),
    })
}

/// The mistake, in words that say what to write.
pub(crate) fn message(names: &[String]) -> String {
    let called: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let written: Vec<String> = names
        .iter()
        .map(|name| format!("`crate = {name}`"))
        .collect();
    format!(
        "`{PACKAGE}` is called {} in Cargo.toml; write {}",
        called.join(" and "),
        written.join(" or ")
    )
}

/// The same for the text of a manifest. `workspace` reads that of the workspace, whose directory the
/// manifest may name; it is asked only if a dependency is inherited from there.
pub(crate) fn names_in(
    manifest: &str,
    workspace: impl FnOnce(Option<&str>) -> Option<String>,
) -> Vec<String> {
    let entries = toml::entries(manifest);
    let mut names = Vec::new();
    let mut inherited = Vec::new();
    for entry in &entries {
        match dependency(&entry.path) {
            Some((PACKAGE, _)) => return Vec::new(),
            Some((name, ["package"])) if entry.value == PACKAGE => names.push(name),
            Some((name, ["workspace"])) if entry.value == "true" => inherited.push(name),
            _ => {}
        }
    }

    let root = if inherited.is_empty() {
        None
    } else if is_workspace(&entries) {
        Some(manifest.to_owned())
    } else {
        let dir = entries
            .iter()
            .find(|entry| entry.path == ["package", "workspace"]);
        workspace(dir.map(|entry| entry.value))
    };
    for entry in toml::entries(root.as_deref().unwrap_or_default()) {
        match entry.path[..] {
            ["workspace", "dependencies", name, "package"] if entry.value == PACKAGE => {
                names.extend(inherited.iter().filter(|inherited| **inherited == name));
            }
            _ => {}
        }
    }

    // As the crate is called in its source. A keyword cannot stand after `crate =`.
    let mut names: Vec<String> = names.iter().map(|name| name.replace('-', "_")).collect();
    // The parser skips blanks and a byte order mark, which are not part of an identifier.
    names.retain(|name| syn::parse_str::<Ident>(name).is_ok_and(|ident| ident == name));
    names.sort();
    names.dedup();
    names
}

/// The name of a dependency, and the key below it.
fn dependency<'a, 'b>(path: &'b [&'a str]) -> Option<(&'a str, &'b [&'a str])> {
    let path = match path {
        ["target", _, path @ ..] => path,
        _ => path,
    };
    match path {
        [
            "dependencies" | "dev-dependencies" | "dev_dependencies" | "build-dependencies"
            | "build_dependencies",
            name,
            key @ ..,
        ] => Some((name, key)),
        _ => None,
    }
}

fn is_workspace(entries: &[Entry]) -> bool {
    entries.iter().any(|entry| entry.path[0] == "workspace")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use super::{message, names_at, names_in, read};

    fn names(manifest: &str) -> Vec<String> {
        names_in(manifest, |_| panic!("nothing is inherited here"))
    }

    #[test]
    fn another_name_is_found_wherever_it_stands() {
        for manifest in [
            "[dependencies]\npf = { package = \"pidfile\", version = \"0.1\" }",
            "[dependencies]\npf = { version = '0.1', package = 'pidfile' } # pidfile",
            "[dependencies]\npf.package = \"pidfile\"\npf.path = \"..\"",
            "dependencies.pf.package = \"pidfile\"",
            "dependencies = { pf = { package = \"pidfile\" } }",
            "[dependencies.pf]\nversion = \"0.1\"\npackage = \"pidfile\"",
            "[dependencies.\"pf\"]\nfeatures = [\n  \"tracing\",\n]\npackage = \"pidfile\"",
            "[dev-dependencies]\npf = { package = \"pidfile\" }",
            "[build-dependencies.pf]\npackage = \"pidfile\"",
            "[target.'cfg(unix)'.dependencies]\npf = { package = \"pidfile\" }",
            "[target.\"cfg(target_os = \\\"linux\\\")\".dev-dependencies.pf]\npackage = \"pidfile\"",
            "[target.x86_64-unknown-linux-gnu.dependencies]\npf.package = \"pidfile\"",
            "[dependencies.pf]\npackage = \"pidfile\"\n[dev-dependencies.pf]\npackage = \"pidfile\"",
        ] {
            assert_eq!(names(manifest), ["pf"], "{manifest}");
        }
    }

    #[test]
    fn names_are_those_of_the_source() {
        assert_eq!(
            names("[dependencies]\nmy-pid-file = { package = \"pidfile\" }"),
            ["my_pid_file"]
        );
        assert_eq!(
            names(
                "[dependencies]\nold = { package = \"pidfile\", version = \"0.1\" }\n\
                 new = { package = \"pidfile\", version = \"0.2\" }"
            ),
            ["new", "old"]
        );
        assert_eq!(
            names("[dependencies]\nasync = { package = \"pidfile\" }"),
            [""; 0]
        );
    }

    #[test]
    fn nothing_is_found_where_pidfile_may_have_its_own_name() {
        for manifest in [
            "",
            "not a manifest",
            "[dependencies]\npidfile = \"0.1\"",
            "[dependencies]\npidfile.path = \"..\"",
            "[dependencies.pidfile]\nversion = \"0.1\"",
            "[target.'cfg(unix)'.dependencies]\npidfile = \"0.1\"",
            "[dependencies]\npidfile = \"0.1\"\npf = { package = \"pidfile\", version = \"0.2\" }",
            "[dependencies]\npf = { package = \"pidfile\" }\n[dev-dependencies.pidfile]\npath = \"..\"",
            "[dependencies]\npidfile = { package = \"another\" }\npf = { package = \"pidfile\" }",
            "[dependencies]\npf = { package = \"pidfile2\" }",
            "[dependencies]\npf = \"pidfile\"",
            "[dependencies]\npf.workspace = false",
            "[dependencies]\n# pf = { package = \"pidfile\" }",
            "[package.metadata.dependencies]\npf = { package = \"pidfile\" }",
            "[workspace.dependencies]\npf = { package = \"pidfile\" }",
            "[patch.somewhere]\npf = { package = \"pidfile\" }",
            "[package]\ndescription = \"\"\"\n[dependencies]\npf = { package = \"pidfile\" }\n\"\"\"",
        ] {
            assert_eq!(names(manifest), [""; 0], "{manifest}");
        }
    }

    #[test]
    fn a_name_may_be_inherited_from_the_workspace() {
        let root = "[workspace.dependencies]\n\
                    pf = { package = \"pidfile\", path = \"..\" }\n\
                    other.package = \"pidfile\"\n\
                    json.package = \"serde_json\"";
        for (member, asked, found) in [
            ("[dependencies]\npf.workspace = true", None, &["pf"][..]),
            (
                "[package]\nworkspace = \"../root\"\n[dependencies]\npf = { workspace = true }",
                Some("../root"),
                &["pf"],
            ),
            ("[dependencies]\nserde.workspace = true", None, &[]),
            ("[dependencies]\njson.workspace = true", None, &[]),
        ] {
            let names = names_in(member, |dir| {
                assert_eq!(dir, asked, "{member}");
                Some(root.into())
            });
            assert_eq!(names, found, "{member}");
        }
        let both = format!("{root}\n[dependencies]\npf.workspace = true");
        assert_eq!(names(&both), ["pf"]);
        let unreadable = names_in("[dependencies]\npf.workspace = true", |_| None);
        assert_eq!(unreadable, [""; 0]);
    }

    #[test]
    fn a_name_that_cannot_be_written_is_none() {
        for name in ["fn", "1a", " a", "a ", "\u{feff}a", "a/**/", "a b", ""] {
            let manifest = format!("[dependencies]\n'{name}' = {{ package = 'pidfile' }}");
            assert_eq!(names(&manifest), [""; 0], "{name:?}");
        }
    }

    #[test]
    fn the_workspace_is_named_or_the_next_one_above() {
        let root = std::env::temp_dir().join(format!("pidfile-macros-{}", std::process::id()));
        let dir = root.join("package/member");
        let manifest = dir.join("Cargo.toml");
        fs::create_dir_all(&dir).expect("a folder");
        let workspace = "[workspace.dependencies]\npf.package = \"pidfile\"";
        fs::write(root.join("Cargo.toml"), workspace).expect("a file");
        fs::write(root.join("package/Cargo.toml"), "[package]").expect("a file");
        let found = ["", "[package]\nworkspace = \"../..\"\n"].map(|package| {
            let text = format!("{package}[dependencies]\npf.workspace = true");
            fs::write(&manifest, text).expect("a file");
            read(&dir, &manifest)
        });
        fs::remove_file(&manifest).expect("it is ours");
        let without = read(&dir, &manifest);
        fs::remove_dir_all(&root).expect("it is ours");
        assert_eq!(found, [["pf"], ["pf"]]);
        assert_eq!(without, [""; 0]);
    }

    #[test]
    fn an_answer_is_kept_until_the_manifest_changes() {
        let root = std::env::temp_dir().join(format!("pidfile-macros-kept-{}", std::process::id()));
        let [one, other] = ["one", "other"].map(|name| root.join(name));
        let write = |dir: &Path, name: &str, changed: u64| {
            fs::create_dir_all(dir).expect("a folder");
            let manifest = format!("[dependencies]\n{name}.package = 'pidfile'");
            fs::write(dir.join("Cargo.toml"), manifest).expect("a file");
            let file = fs::File::options().write(true).open(dir.join("Cargo.toml"));
            let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(changed);
            file.and_then(|file| file.set_modified(changed))
                .expect("it is ours");
        };
        let mut last = None;
        let mut found = Vec::new();
        for (dir, name, changed) in [
            (&one, "a", 1),
            (&one, "b", 1),
            (&one, "c", 2),
            (&other, "d", 2),
        ] {
            write(dir, name, changed);
            found.extend(names_at(dir, &mut last));
        }
        found.extend(names_at(&root, &mut last));
        fs::remove_dir_all(&root).expect("it is ours");
        assert_eq!(found, ["a", "a", "c", "d"]);
    }

    #[test]
    fn the_message_says_what_to_write() {
        assert_eq!(
            message(&["pf".into()]),
            "`pidfile` is called `pf` in Cargo.toml; write `crate = pf`"
        );
        assert_eq!(
            message(&["new".into(), "old".into()]),
            "`pidfile` is called `new` and `old` in Cargo.toml; write `crate = new` or `crate = old`"
        );
    }
}
