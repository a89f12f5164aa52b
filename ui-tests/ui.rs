//! What the compiler tells the user of the attribute.

mod cases;
mod compiler;
mod editor;
mod pass;
mod renamed;
mod same;

use std::io::{self, Write};

/// The toolchain whose own words are on record. Other ones may say the same in another way.
const PINNED: &str = "1.95.0";

/// Our own messages read the same everywhere.
#[test]
fn our_messages() {
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}

/// Says why a test does not look, past the harness, which keeps what a test that passes has said.
fn skip(why: &str) {
    // The result of the test does not depend on whether this can be read.
    let _ = writeln!(io::stderr(), "skipped: {why}");
}

/// What rustc says about mistakes in arguments, return types and handlers.
#[test]
fn messages_of_rustc() {
    if !compiler::is_pinned() {
        return skip(&format!(
            "the messages on record are those of rustc {PINNED}"
        ));
    }
    trybuild::TestCases::new().compile_fail("fail/rustc/*.rs");
}
