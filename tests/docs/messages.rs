//! Every message that can be provoked here has its row in the troubleshooting chapter.
//!
//! A row's message has placeholders, FILE, DIR, 4242, (thermod) and 5s, and `...` at its end stands for
//! the rest of the sentence.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pidfile::{Error, Options, PidFile};
use tempfile::TempDir;

const CHAPTER: &str = include_str!("../../pidfile/docs/troubleshooting.md");
const README: &str = include_str!("../../README.md");

/// The messages in the first column of a document's tables.
fn messages(document: &str) -> Vec<String> {
    document
        .lines()
        .filter_map(|line| {
            let cell = line.strip_prefix("| ")?.split_once(" | ")?.0;
            // Double backticks enclose a message that has single ones.
            let quoted = cell.strip_prefix("`` ").and_then(|c| c.strip_suffix(" ``"));
            quoted.or_else(|| cell.strip_prefix('`')?.strip_suffix('`'))
        })
        .map(str::to_owned)
        .collect()
}

/// A message as the chapter would write it.
fn generalised(error: &Error, file: &Path) -> String {
    let dir = file.parent().expect("a file is in a directory");
    let text = format!("{error:#}")
        .replace(&file.display().to_string(), "FILE")
        .replace(&dir.display().to_string(), "DIR");
    let text = text.replace(" after 5ms", " after 5s");
    let Some((before, after)) = text.split_once("process ") else {
        return text;
    };
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let after = match after.strip_prefix(" (").and_then(|a| a.split_once(')')) {
        Some((_, after)) => format!(" (thermod){after}"),
        None => after.to_owned(),
    };
    let number = if text.contains(|c: char| c.is_ascii_digit()) {
        "4242"
    } else {
        ""
    };
    format!("{before}process {number}{after}")
}

fn is_explained(text: &str, rows: &[String]) -> bool {
    rows.iter().any(|row| match row.strip_suffix("...") {
        Some(beginning) => text.starts_with(beginning),
        None => text.starts_with(row.as_str()),
    })
}

/// Fails if the operator who gets this error would not find it in the chapter.
fn assert_explained(error: &Error, file: &Path) {
    let text = generalised(error, file);
    assert!(
        is_explained(&text, &messages(CHAPTER)),
        "no row of troubleshooting.md explains: {text}"
    );
}

fn refusal(options: &Options) -> Error {
    options.acquire().expect_err("the start must be refused")
}

fn sandbox() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("thermod.pid");
    (dir, file)
}

/// A process that has a file locked, until it is dropped.
struct Locker(Child);

impl Locker {
    fn start(file: &Path) -> Option<Locker> {
        let started = Command::new("flock")
            .arg(file)
            .args(["sh", "-c", "echo locked; read end"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut child) = started else {
            eprintln!("skipped: there is no flock(1)");
            return None;
        };
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is a pipe");
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "locked\n");
        Some(Locker(child))
    }
}

impl Drop for Locker {
    fn drop(&mut self) {
        drop(self.0.stdin.take()); // `read` ends at the end of its input.
        self.0.wait().unwrap();
    }
}

fn is_root() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        eprintln!("skipped: this is not root");
    }
    root
}

#[test]
fn the_tables_are_read() {
    let rows = messages(CHAPTER);
    assert!(rows.len() > 12, "{rows:?}");
    assert!(is_explained("FILE is not a pidfile: it is a socket", &rows));
    assert!(!is_explained("FILE is something else", &rows));
}

#[test]
fn the_readme_quotes_the_chapter() {
    let rows = messages(CHAPTER);
    let common: Vec<String> = messages(README)
        .into_iter()
        .filter(|message| message.contains("FILE") || message.contains("DIR"))
        .collect();
    assert_eq!(common.len(), 4, "{common:?}");
    for message in common {
        assert!(rows.contains(&message), "{message}");
    }
}

#[test]
fn held_by_this_process_is_explained() {
    let (_dir, file) = sandbox();
    let _held = PidFile::acquire(&file).unwrap();
    let error = refusal(&Options::new().path(&file));
    assert!(error.to_string().contains("this process"), "{error}");
    assert_explained(&error, &file);
}

#[test]
fn held_by_a_process_that_the_file_names_is_explained() {
    let (_dir, file) = sandbox();
    let Some(locker) = Locker::start(&file) else {
        return;
    };
    fs::write(&file, format!("{}\n", locker.0.id())).unwrap();
    let error = refusal(&Options::new().path(&file));
    assert_eq!(error.pid(), Some(locker.0.id()), "{error}");
    assert_explained(&error, &file);
}

#[test]
fn held_after_a_wait_is_explained() {
    let (_dir, file) = sandbox();
    let _held = PidFile::acquire(&file).unwrap();
    let error = refusal(&Options::new().path(&file).wait(Duration::from_millis(5)));
    assert_explained(&error, &file);
}

#[test]
fn held_without_a_number_is_explained() {
    let (_dir, file) = sandbox();
    let Some(_locker) = Locker::start(&file) else {
        return;
    };
    let error = refusal(&Options::new().path(&file));
    assert!(error.is_running(), "{error:?}");
    assert_explained(&error, &file);
}

#[test]
fn a_recorded_process_that_lives_is_explained() {
    let (_dir, file) = sandbox();
    let (_other_dir, other) = sandbox();
    let Some(process) = Locker::start(&other) else {
        return;
    };
    fs::write(&file, format!("{}\n", process.0.id())).unwrap();
    let error = refusal(&Options::new().path(&file).lock(false));
    assert!(matches!(error, Error::Running { .. }), "{error:?}");
    assert_explained(&error, &file);
}

#[test]
fn whatever_is_not_a_pidfile_is_explained() {
    let (dir, file) = sandbox();
    fs::write(&file, "a letter\n").unwrap();
    assert_explained(&refusal(&Options::new().path(&file)), &file);
    let link = dir.path().join("link.pid");
    symlink(&file, &link).unwrap();
    assert_explained(&refusal(&Options::new().path(&link)), &link);
    let folder = dir.path().join("folder.pid");
    fs::create_dir(&folder).unwrap();
    assert_explained(&refusal(&Options::new().path(&folder)), &folder);
}

#[test]
fn a_file_of_another_user_is_explained() {
    let (dir, file) = sandbox();
    if !is_root() {
        return;
    }
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    fs::write(&file, "1\n").unwrap();
    chown(&file, Some(65534), None).unwrap();
    let error = refusal(&Options::new().path(&file));
    assert!(matches!(error, Error::Insecure { .. }), "{error:?}");
    assert_explained(&error, &file);
}

#[test]
fn a_directory_that_others_write_is_explained() {
    let (dir, _) = sandbox();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = refusal(&Options::new().dir(dir.path().join("made")).name("thermod"));
    assert!(matches!(error, Error::Insecure { .. }), "{error:?}");
    assert_explained(&error, &dir.path().join("made"));
}

#[test]
fn a_missing_directory_is_explained() {
    let (dir, _) = sandbox();
    let file = dir.path().join("missing/thermod.pid");
    assert_explained(&refusal(&Options::new().path(&file)), &file);
}

#[test]
fn a_contradiction_is_explained() {
    let (_dir, file) = sandbox();
    let error = refusal(&Options::new().path(&file).name("thermod"));
    assert_explained(&error, &file);
}

#[test]
fn a_lost_file_is_explained() {
    let (_dir, file) = sandbox();
    let held = PidFile::acquire(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, "another program's").unwrap();
    assert_explained(&held.release().unwrap_err(), &file);
}
