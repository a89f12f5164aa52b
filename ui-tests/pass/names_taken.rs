//! A trait for every type has methods of the names that the expansion calls.

#![allow(dead_code)] // which method is called is the question

use pidfile::pidfile;

trait Everything: Sized {
    fn acquire(self) -> u8 {
        unreachable!("another one was called")
    }
    fn path<T>(self, _: T) -> u8 {
        unreachable!("another one was called")
    }
    fn lock(&self, _: bool) -> u8 {
        unreachable!("another one was called")
    }
    fn new() -> u8 {
        unreachable!("another one was called")
    }
    fn from_acquire_error<E>(_: E) -> u8 {
        unreachable!("another one was called")
    }
}

impl<T> Everything for T {}

#[pidfile(path = "app.pid", lock)]
fn held() -> Result<bool, pidfile::Error> {
    Ok(std::path::Path::new("app.pid").exists())
}

fn main() {
    assert!(held().expect("nothing else is there"));
    // Also where it fails.
    let _held = pidfile::PidFile::acquire("app.pid").expect("nothing else is there");
    assert!(held().is_err());
    let _ = <u8 as Everything>::new;
}
