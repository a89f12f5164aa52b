//@ editions: 2015 2018 2021
//! Bodies that are judged by an older edition.

#![warn(rust_2018_compatibility, rust_2021_compatibility, rust_2024_compatibility)]

extern crate pidfile;

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn number(x: i32) -> i32 {
    x + 1;
}

#[pidfile::pidfile("app.pid")]
fn text() -> Result<(), pidfile::Error> {
    Ok("x")
}

#[pidfile::pidfile("app.pid")]
fn keywords() {
    let gen = 1;
    let try_ = gen;
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn tail(cell: std::cell::RefCell<u8>) -> u8 {
    *cell.borrow()
}

trait Object {}

#[pidfile::pidfile("app.pid")]
fn object(_: &Object) -> Result<(), pidfile::Error> {
    Ok(())
}

#[pidfile::pidfile("app.pid")]
fn boxed_object() -> Result<Box<Object>, pidfile::Error> {
    panic!()
}

#[pidfile::pidfile("app.pid", on_error = |_| panic!())]
fn hidden_lifetime(text: Text) -> Text {
    text
}

struct Text<'a>(&'a str);

fn main() {}
