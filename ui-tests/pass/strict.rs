//@ clippy
//! Crates that forbid almost everything.

#![forbid(unsafe_code, missing_docs, unused, warnings)]
#![forbid(clippy::all, clippy::pedantic)]

//! Documentation, since it must be there.

use pidfile::pidfile;

/// Documented.
#[pidfile("app.pid", chmod = 0o600, lock)]
pub fn plain() {}

/// Documented.
///
/// # Errors
///
/// If somebody else is there.
#[pidfile(path = ("app.pid"), lock = { true })]
pub fn result() -> pidfile::Result<u8> {
    Ok(1)
}

/// Documented.
#[must_use]
#[pidfile("app.pid", on_error = |_| 0)]
pub fn number(text: &str) -> usize {
    text.len()
}

/// Documented.
#[pidfile("app.pid")]
pub async fn asynchronous() {
    std::future::ready(()).await;
}

#[pidfile("main.pid")]
fn main() {
    plain();
    assert!(result().is_ok());
    assert_eq!(number("abc"), 3);
    drop(asynchronous());
}
