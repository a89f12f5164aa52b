//! What the log is told, with the feature `tracing`.
//!
//! ```text
//! cargo test -p pidfile-log --features tracing
//! ```

use std::fmt::{self, Write};
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pidfile::Options;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps every event as a line.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// What is told while `work` runs.
    fn of(work: impl FnOnce()) -> Vec<String> {
        let lines = Lines::default();
        tracing::subscriber::with_default(lines.clone(), work);
        std::mem::take(&mut *lines.0.lock().unwrap())
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("pidfile")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        assert_eq!(event.metadata().target(), "pidfile");
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

#[test]
fn a_plain_hold_is_resolved_published_and_released() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it.pid");
    let told = Lines::of(|| {
        Options::new()
            .path(&path)
            .acquire()
            .unwrap()
            .release()
            .unwrap();
    });
    let (path, pid) = (path.display(), std::process::id());
    assert_eq!(
        told,
        [
            format!("DEBUG message=resolved path={path}"),
            format!("DEBUG message=published path={path} pid={pid}"),
            format!("DEBUG message=released path={path}"),
        ]
    );
}

#[test]
fn a_take_over_names_whom_it_replaces() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it.pid");
    fs::write(&path, "4194305\n").unwrap();
    let told = Lines::of(|| drop(Options::new().path(&path).acquire().unwrap()));
    let path = path.display();
    assert_eq!(
        told[1],
        format!("INFO message=taking over path={path} replaced=4194305")
    );
}

#[test]
fn a_waiter_says_once_whom_it_waits_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it.pid");
    let held = Options::new().path(&path).acquire().unwrap();
    // Longer than the longest sleep, so that it wakes up and continues to wait.
    let options = Options::new().path(&path).wait(Duration::from_secs(2));
    let told = Lines::of(|| drop(options.acquire().unwrap_err()));
    drop(held);
    let (path, pid) = (path.display(), std::process::id());
    assert_eq!(
        told,
        [
            format!("DEBUG message=resolved path={path}"),
            format!("DEBUG message=waiting for path={path} holder={pid}"),
        ]
    );
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
fn a_stop_names_whom_it_stops() {
    const HOLD: &str =
        "exec 9>>\"$0\" && flock 9 && echo $$ >\"$0\" && echo ready && exec sleep 600";
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it.pid");
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", HOLD]).arg(&path).stdout(Stdio::piped());
    let mut holding = Ended(shell.stderr(Stdio::null()).spawn().unwrap());
    let mut ready = String::new();
    let output = BufReader::new(holding.0.stdout.take().unwrap()).read_line(&mut ready);
    if output.unwrap() == 0 {
        println!("skipped: there is no `flock`");
        return;
    }
    let told = Lines::of(|| {
        let holder = Options::new().path(&path).holder().unwrap().unwrap();
        holder.stop(Duration::from_secs(30)).unwrap();
    });
    let (path, pid) = (path.display(), holding.0.id());
    assert_eq!(
        told,
        [format!("DEBUG message=stopping path={path} holder={pid}")]
    );
}

#[test]
fn a_clean_up_that_is_refused_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("it.pid");
    let told = Lines::of(|| {
        let _held = Options::new().path(&path).acquire().unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, "somebody else's\n").unwrap();
    });
    let last = told.last().unwrap();
    assert!(last.starts_with("WARN message=cleanup failed"), "{last}");
    assert!(last.contains(path.to_str().unwrap()), "{last}");
}
