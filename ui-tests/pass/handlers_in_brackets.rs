//! Handlers in parentheses and braces are handlers like any other.

use pidfile::{PidFile, pidfile};

#[pidfile("app.pid", on_error = (|_| 3))]
fn in_parentheses() -> u8 {
    1
}

#[pidfile("app.pid", on_error = { |_| None })]
fn in_braces() -> Option<&'static str> {
    Some("held")
}

#[pidfile("app.pid", on_error = ({ (nothing) }))]
fn in_both() -> Vec<u8> {
    vec![1]
}

#[pidfile("app.pid", on_error = {
    let number = 4;
    move |_| number
})]
fn made() -> u8 {
    1
}

#[pidfile("app.pid", on_error = |_| -> ! { std::process::exit(0) })]
fn never_back() -> u8 {
    1
}

fn nothing(_: pidfile::Error) -> Vec<u8> {
    Vec::new()
}

fn main() {
    assert_eq!(
        (in_parentheses(), in_braces(), in_both(), made()),
        (1, Some("held"), vec![1], 1)
    );
    let held = PidFile::acquire("app.pid").unwrap();
    assert_eq!(
        (in_parentheses(), in_braces(), in_both(), made()),
        (3, None, vec![], 4)
    );
    std::thread::spawn(move || {
        let _held = held;
        never_back()
    })
    .join()
    .unwrap();
}
