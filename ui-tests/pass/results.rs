//! Every error type that the runtime's converts into, through every alias.

use std::error::Error as StdError;
use std::io;
use std::num::ParseIntError;

use pidfile::{PidFile, pidfile};

type Local<T> = std::result::Result<T, Own>;

#[derive(Debug)]
enum Own {
    Busy,
    Broken,
    Number,
}

impl From<pidfile::Error> for Own {
    fn from(error: pidfile::Error) -> Own {
        if error.is_running() { Own::Busy } else { Own::Broken }
    }
}

impl From<ParseIntError> for Own {
    fn from(_: ParseIntError) -> Own {
        Own::Number
    }
}

#[pidfile("held.pid")]
fn plain() -> Result<u8, pidfile::Error> {
    Ok(1)
}

#[pidfile("held.pid")]
fn of_the_crate() -> pidfile::Result<u8> {
    Ok(1)
}

#[pidfile("held.pid")]
fn of_io() -> io::Result<u8> {
    Ok(1)
}

#[pidfile("held.pid")]
fn of_anyhow() -> anyhow::Result<u8> {
    Ok(1)
}

#[pidfile("held.pid")]
fn boxed() -> Result<u8, Box<dyn StdError>> {
    Ok(1)
}

#[pidfile("held.pid")]
fn boxed_to_send() -> Result<u8, Box<dyn StdError + Send + Sync>> {
    Ok(1)
}

#[pidfile("held.pid")]
fn own(text: &str) -> Local<u8> {
    Ok(text.parse()?)
}

#[pidfile("held.pid")]
fn nested() -> Result<Result<(), ()>, pidfile::Error> {
    Ok(Err(()))
}

#[pidfile("held.pid")]
fn generic<E: From<pidfile::Error>>() -> Result<u8, E> {
    Ok(1)
}

fn main() {
    assert_eq!(plain().unwrap(), 1);
    assert_eq!(of_the_crate().unwrap(), 1);
    assert_eq!(of_io().unwrap(), 1);
    assert_eq!(of_anyhow().unwrap(), 1);
    assert_eq!(boxed().unwrap(), 1);
    assert_eq!(boxed_to_send().unwrap(), 1);
    assert_eq!(own("1").unwrap(), 1);
    assert!(matches!(own("one"), Err(Own::Number)));
    assert_eq!(nested().unwrap(), Err(()));
    assert_eq!(generic::<Own>().unwrap(), 1);

    let held = PidFile::acquire("held.pid").unwrap();
    assert!(plain().unwrap_err().is_running());
    assert!(of_the_crate().unwrap_err().is_running());
    assert_eq!(of_io().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert!(of_anyhow().unwrap_err().downcast::<pidfile::Error>().unwrap().is_running());
    assert!(boxed().unwrap_err().downcast::<pidfile::Error>().unwrap().is_running());
    assert!(boxed_to_send().unwrap_err().downcast::<pidfile::Error>().unwrap().is_running());
    assert!(matches!(own("1"), Err(Own::Busy)));
    assert!(nested().unwrap_err().is_running());
    assert!(matches!(generic::<Own>(), Err(Own::Busy)));
    held.release().unwrap();

    std::fs::create_dir("held.pid").unwrap();
    assert!(matches!(own("1"), Err(Own::Broken)));
    std::fs::remove_dir("held.pid").unwrap();
}
