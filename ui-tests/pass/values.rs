//! Arguments are expressions of the function, evaluated once, at the call.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use pidfile::{PidFile, pidfile};

const NAME: &str = "app.pid";

#[pidfile(path = path)]
fn parameter(path: &Path) {
    assert!(path.exists());
}

#[pidfile(path = path)]
fn moved(path: PathBuf) {
    assert!(Path::new("app.pid").exists());
}

#[pidfile(path = format!("{name}-{}.pid", 1))]
fn formatted(name: &str) {
    assert!(Path::new("app-1.pid").exists(), "{name}");
}

#[pidfile(path = concat!("app", ".", "pid"))]
fn concatenated() {}

#[pidfile(path = option_env!("NOBODY_SETS_THIS").unwrap_or("app.pid"))]
fn from_environment() {}

#[pidfile(dir = ".", name = env!("CARGO_PKG_NAME"))]
fn from_cargo() {
    assert!(Path::new("pidfile-ui-tests.pid").exists());
}

#[pidfile(path = match number { 1 => "one.pid", _ => "many.pid" })]
fn matched(number: u8) {
    assert!(Path::new("one.pid").exists(), "{number}");
}

#[pidfile(path = if number == 1 { "one.pid" } else { "many.pid" })]
fn chosen(number: u8) {
    assert!(Path::new("many.pid").exists(), "{number}");
}

#[pidfile(path = { let name = "app"; format!("{name}.pid") })]
fn block() {}

#[pidfile(path = { NAME }, lock = (true))]
fn delimited() {}

#[pidfile(("app.pid"))]
fn parenthesised() {}

#[pidfile(path = { calls.set(calls.get() + 1); NAME })]
fn once(calls: &Cell<u8>) -> pidfile::Result<()> {
    assert_eq!(calls.get(), 1);
    Ok(())
}

#[pidfile(path = text?)]
fn question_mark(text: Result<&str, pidfile::Error>) -> pidfile::Result<()> {
    Ok(())
}

#[pidfile(path = if early { return 2 } else { NAME }, on_error = |_| 3)]
fn returned(early: bool) -> u8 {
    1
}

#[pidfile(path = *name.lock().unwrap(), on_error = |_| ())]
fn temporary(name: &Mutex<&str>) {
    // The lock was released once its argument had been evaluated.
    drop(name.lock().unwrap());
}

#[pidfile(
    path = *name.lock().unwrap(),
    chmod = { drop(name.lock().unwrap()); 0o600 },
)]
fn temporaries(name: &Mutex<&str>) {}

fn convert<A, B: From<A>>(_: u8, value: A) -> B {
    B::from(value)
}

#[pidfile(path = "app.pid", on_error = |e| convert::<_, Box<dyn std::error::Error>>(1, e).to_string())]
fn turbofish() -> String {
    String::new()
}

fn main() {
    parameter(Path::new("app.pid"));
    moved("app.pid".into());
    formatted("app");
    concatenated();
    from_environment();
    from_cargo();
    matched(1);
    chosen(2);
    block();
    delimited();
    parenthesised();
    once(&Cell::new(0)).unwrap();
    question_mark(Ok("app.pid")).unwrap();
    assert_eq!(returned(true), 2);
    assert_eq!(returned(false), 1);
    temporary(&Mutex::new("app.pid"));
    temporaries(&Mutex::new("app.pid"));
    assert_eq!(turbofish(), "");
    let _held = PidFile::acquire("app.pid").unwrap();
    assert!(turbofish().contains("app.pid is held"));
    assert_eq!(returned(false), 3);
    assert!(once(&Cell::new(0)).is_err());
}
