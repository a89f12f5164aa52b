//! The files of a folder, each a case, spread over the processors.

use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

/// A case that was not as expected, and why.
type Failure = (PathBuf, String);

/// Judges every Rust file of a folder, and reports all that fail.
pub(crate) fn for_each(folder: &str, judge: impl Fn(&Path, &str) -> Result<(), String> + Sync) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = fs::read_dir(root.join(folder))
        .expect("the folder is there")
        .map(|entry| Path::new(folder).join(entry.expect("it can be listed").file_name()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");

    let queue = Mutex::new(files.into_iter());
    let failures: Mutex<Vec<Failure>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let file = queue.lock().expect("no case panics here").next();
                    let Some(file) = file else { break };
                    let source = fs::read_to_string(root.join(&file)).expect("it can be read");
                    let verdict =
                        panic::catch_unwind(panic::AssertUnwindSafe(|| judge(&file, &source)))
                            .unwrap_or_else(|_| Err("the judge panicked".into()));
                    if let Err(why) = verdict {
                        failures
                            .lock()
                            .expect("no case panics here")
                            .push((file, why));
                    }
                }
            });
        }
    });

    let failures = failures.into_inner().expect("no case panics here");
    for (file, why) in &failures {
        eprintln!("{}: {why}\n", file.display());
    }
    assert!(
        failures.is_empty(),
        "{} cases of {folder} failed",
        failures.len()
    );
}
