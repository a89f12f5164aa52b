//@ editions: 2018 2021 2024
//! Functions that do not return, with and without a semicolon at the end.

use std::panic;
use std::process;

use pidfile::{PidFile, pidfile};

#[pidfile("app.pid")]
fn endless() -> ! {
    loop {}
}

#[pidfile("app.pid")]
fn exit(status: i32) -> ! {
    process::exit(status)
}

#[pidfile("app.pid")]
fn exit_semicolon(status: i32) -> ! {
    process::exit(status);
}

#[pidfile("app.pid")]
fn later() -> ! {
    todo!()
}

#[pidfile("app.pid")]
fn later_semicolon() -> ! {
    todo!();
}

#[pidfile("app.pid", on_error = |error| process::exit(error.exit_code().into()))]
fn on_error_closure() -> ! {
    loop {}
}

#[pidfile("app.pid", on_error = give_up)]
fn on_error_path() -> ! {
    loop {}
}

#[pidfile("app.pid", on_error = give_up)]
fn on_error_ends_a_function_that_returns() -> u8 {
    1
}

fn give_up(error: pidfile::Error) -> ! {
    panic!("{}", error)
}

fn main() {
    let _unused: [fn() -> !; 2] = [endless, on_error_closure];
    assert_eq!(on_error_ends_a_function_that_returns(), 1);
    for diverges in [later, later_semicolon] {
        panic::catch_unwind(|| diverges()).unwrap_err();
    }
    {
        let _held = PidFile::acquire("app.pid").unwrap();
        for diverges in [endless, later, on_error_path] {
            let text = panic::catch_unwind(|| diverges()).unwrap_err();
            let text = text.downcast::<String>().unwrap();
            assert!(text.contains("app.pid is held by this process already"), "{}", text);
        }
    }
    let last: fn(i32) -> ! = if std::env::args().len() > 1 { exit } else { exit_semicolon };
    last(0)
}
