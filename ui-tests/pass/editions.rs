//@ editions: 2015 2018 2021 2024
//! Every edition, from modules too.

extern crate pidfile;

use std::path::Path;

mod inner {
    use pidfile::pidfile as held;
    use pidfile::Error;

    #[held("app.pid", chmod = 0o600, lock, on_error = |_| 0)]
    pub fn closure() -> u8 {
        1
    }

    #[held("app.pid", on_error = super::inner_handler)]
    pub fn result() -> Result<u8, Error> {
        Ok(1)
    }
}

fn inner_handler(error: pidfile::Error) -> Result<u8, pidfile::Error> {
    Err(error)
}

#[pidfile::pidfile("app.pid")]
fn nothing() {}

#[pidfile::pidfile("app.pid")]
fn hidden<'a>(text: &'a str) -> Result<impl Iterator<Item = char> + 'a, ::std::io::Error> {
    Ok(text.chars())
}

#[pidfile::pidfile("app.pid")]
fn never() -> ! {
    panic!("on purpose")
}

#[pidfile::pidfile("main.pid")]
fn main() {
    assert!(Path::new("main.pid").exists());
    assert_eq!(inner::closure(), 1);
    assert_eq!(inner::result().unwrap(), 1);
    nothing();
    assert_eq!(hidden("abc").unwrap().count(), 3);
    std::panic::catch_unwind(|| never()).unwrap_err();
}
