//! A function that returns nothing panics, at the place of its call if it is asked to.

use std::panic;
use std::sync::Mutex;
use std::thread;

use pidfile::{PidFile, pidfile};

static WHERE: Mutex<Option<(u32, String)>> = Mutex::new(None);

#[pidfile("app.pid")]
fn helper() {
    unreachable!();
}

#[pidfile("app.pid")]
#[track_caller]
fn tracked() {
    unreachable!();
}

fn main() {
    let _held = PidFile::acquire("app.pid").unwrap();
    panic::set_hook(Box::new(|info| {
        let place = info.location().unwrap();
        *WHERE.lock().unwrap() = Some((place.line(), place.file().into()));
    }));
    let text = thread::spawn(helper).join().unwrap_err();
    let text = text.downcast::<String>().unwrap();
    assert!(text.contains("app.pid is held by this process already"), "{text}");
    let (_, file) = WHERE.lock().unwrap().take().unwrap();
    assert!(file.ends_with("unit_panics.rs"), "{file}");

    thread::spawn(|| tracked()).join().unwrap_err();
    let line = line!() - 1;
    assert_eq!(WHERE.lock().unwrap().take().unwrap().0, line);
}
