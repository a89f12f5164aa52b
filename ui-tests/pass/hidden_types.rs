//! Return types that have no name, or that the body is coerced to.

use std::process::{ExitCode, Termination};

use pidfile::{PidFile, pidfile};

#[pidfile("app.pid")]
fn termination() -> impl Termination {
    ExitCode::SUCCESS
}

#[pidfile("app.pid")]
fn numbers(from: u8) -> Result<impl Iterator<Item = u8>, pidfile::Error> {
    Ok(from..9)
}

#[pidfile("app.pid", on_error = |_| Box::new(|| 2))]
fn boxed() -> Box<dyn Fn() -> u8> {
    Box::new(|| 1)
}

#[pidfile("app.pid", on_error = |_| vec![Box::new(2), Box::new("two")])]
fn several() -> Vec<Box<dyn std::fmt::Debug>> {
    vec![Box::new(1), Box::new("one")]
}

#[pidfile("app.pid", on_error = |_| &[])]
fn slice() -> &'static [u8] {
    &[1, 2]
}

#[pidfile("app.pid", on_error = |_| None)]
fn hidden_in_option(yes: bool) -> Option<impl Fn() -> u8> {
    yes.then_some(|| 1)
}

macro_rules! number {
    () => {
        Result<u8, pidfile::Error>
    };
}

#[pidfile("app.pid")]
fn named_by_macro() -> number!() {
    Ok(1)
}

fn main() {
    assert_eq!(termination().report(), ExitCode::SUCCESS);
    assert_eq!(numbers(7).unwrap().count(), 2);
    assert_eq!(boxed()(), 1);
    assert_eq!(several().len(), 2);
    assert_eq!(slice().len(), 2);
    assert_eq!(hidden_in_option(true).unwrap()(), 1);
    assert_eq!(named_by_macro().unwrap(), 1);

    let _held = PidFile::acquire("app.pid").unwrap();
    assert_eq!(termination().report(), ExitCode::from(75));
    assert!(numbers(7).is_err());
    assert_eq!(boxed()(), 2);
    assert_eq!(several().len(), 2);
    assert_eq!(slice().len(), 0);
    assert!(hidden_in_option(true).is_none());
    assert!(named_by_macro().is_err());
}
