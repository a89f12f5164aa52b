//! What the compiler says about a function does not depend on the attribute.
//!
//! Every file in `same/` is compiled as it is, and once more without the lines that begin with
//! `#[pidfile::pidfile`. The errors must be the same, on the same lines; there must be no warning
//! that the bare function does not have.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::cases;
use crate::compiler::{self, Wishes};

#[test]
fn errors_and_warnings_are_those_of_the_bare_function() {
    compare(&compiler::rustc(), &[]);
}

#[test]
fn lints_are_those_of_the_bare_function() {
    let Some(clippy) = compiler::clippy() else {
        return crate::skip("clippy is not installed");
    };
    let groups =
        ["all", "pedantic", "nursery", "restriction"].map(|group| format!("-Wclippy::{group}"));
    compare(&clippy, &groups);
}

/// Lets a compiler look at all of them.
fn compare(compiler: &str, flags: &[String]) {
    cases::for_each("same", |_, source| {
        let wishes = Wishes::of(source);
        let bare: String = source
            .lines()
            .map(|line| {
                if is_attribute(line) {
                    "\n".into()
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        if bare == source {
            return Err("there is no attribute to leave out".into());
        }
        for edition in &wishes.editions {
            let [with, without] =
                [source, &bare].map(|source| messages(compiler, flags, &wishes, edition, source));
            // Some of clippy's lints skip code that a macro has touched, which does no harm.
            let missing = if flags.is_empty() {
                &without - &with
            } else {
                BTreeSet::new()
            };
            let added = &with - &without;
            if !(added.is_empty() && missing.is_empty()) {
                return Err(format!(
                    "({edition})\nonly with the attribute: {added:#?}\nonly without it: {missing:#?}",
                ));
            }
        }
        Ok(())
    });
}

fn is_attribute(line: &str) -> bool {
    line.trim_start().starts_with("#[pidfile::pidfile")
}

/// Everything that the compiler has to say, with the places it points at.
fn messages(
    compiler: &str,
    flags: &[String],
    wishes: &Wishes,
    edition: &str,
    source: &str,
) -> BTreeSet<String> {
    // What it would write is of no interest, but must not be in anybody's way.
    let nowhere = tempfile::tempdir().expect("there is room for a folder");
    let mut rustc = compiler::command(compiler, wishes, edition)
        .args(flags)
        .args(["--emit", "metadata", "--out-dir"])
        .arg(nowhere.path())
        .args(["--error-format", "json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rustc runs");
    let mut input = rustc.stdin.take().expect("it was asked for");
    input.write_all(source.as_bytes()).expect("rustc reads");
    drop(input);
    let output = rustc.wait_with_output().expect("rustc ends");
    let text = String::from_utf8(output.stderr).expect("rustc writes UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("rustc writes JSON"))
        .filter(|message: &Value| {
            message["spans"]
                .as_array()
                .is_some_and(|spans| !spans.is_empty())
        })
        .map(|message| summary(&message))
        .collect()
}

/// Level, code, words and places of a message. Its notes and suggestions may differ: the body is a
/// block in the function now, and some of them are about that.
fn summary(message: &Value) -> String {
    let places = message["spans"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let places: Vec<String> = places
        .iter()
        .filter(|place| place["is_primary"] == true)
        .map(|place| {
            let [line, column] = [&place["line_start"], &place["column_start"]];
            let [last_line, last_column] = [&place["line_end"], &place["column_end"]];
            format!("{line}:{column}-{last_line}:{last_column}")
        })
        .collect();
    let [level, code, words] = [
        &message["level"],
        &message["code"]["code"],
        &message["message"],
    ];
    // Clippy looks for the missing `return` of a value on its way out of the function, and on that
    // way stands a block of ours.
    if *code == "clippy::implicit_return" {
        return format!("{level} {code}");
    }
    format!("{level} {code} {words} {}", places.join(" "))
}
