//! The properties hold for every text that is kept, and are noticed when they do not.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use proc_macro2::TokenStream;

use super::{DEEPEST, finds_usable_names, is_sound, keeps_its_promises};
use crate::mistakes::Mistakes;
use crate::{Pass, args, attribute};

/// Calls the property with every text that is kept for it.
fn replay(name: &str, property: fn(&str) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    if !folder.exists() {
        // A package on its own.
        println!("skipped: there is no corpus");
        return;
    }
    let texts = fs::read_dir(folder.join("corpus").join(name)).unwrap();
    let mut count = 0;
    for text in texts {
        let path = text.unwrap().path();
        println!("{}", path.display());
        count += usize::from(property(&fs::read_to_string(path).unwrap()));
    }
    assert!(count >= 10, "{count} texts");
}

#[test]
fn every_use_is_accepted_whole_or_refused_with_an_error() {
    replay("attribute", super::attribute);
}

#[test]
fn every_name_in_a_manifest_can_be_written() {
    replay("manifest", super::manifest);
}

/// What a property says when it does not hold.
fn complaint(property: impl FnOnce() -> bool) -> String {
    let panicked = panic::catch_unwind(AssertUnwindSafe(property));
    let said = panicked.expect_err("the property holds");
    match said.downcast::<String>() {
        Ok(said) => *said,
        Err(said) => (*said.downcast::<&str>().expect("a text")).into(),
    }
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

#[test]
fn a_text_that_is_not_a_use_is_not_judged() {
    let nested = |depth| format!("\nfn f() {}{}", "{".repeat(depth), "}".repeat(depth));
    for (text, is_use) in [
        ("", true),
        ("lock\nfn f() {}", true),
        ("lock\nstruct S;", true),
        ("lock)\nfn f() {}", false),
        ("lock\nfn f() {", false),
        ("lock\nfn f() {} fn g() {}", false),
        (&nested(DEEPEST), true),
        (&nested(DEEPEST + 1), false),
    ] {
        assert_eq!(super::attribute(text), is_use, "{text}");
    }
}

#[test]
fn an_attribute_that_breaks_a_promise_is_noticed() {
    type Answer = fn(&TokenStream, &TokenStream) -> TokenStream;
    let faults: [(&str, Answer, &str); 10] = [
        (
            "\nfn f() { a }",
            |arguments, _| attribute(arguments, &tokens("fn f() {}"), Pass::First),
            "a token of the item is lost: ",
        ),
        (
            "\nfn f(a: b) {}",
            |_, _| tokens("fn f(b: a) {}"),
            "a token of the item is lost: ",
        ),
        (
            "lock = 1\nfn f() {}",
            |_, item| attribute(&TokenStream::new(), item, Pass::First),
            "it is accepted with a mistake",
        ),
        (
            "\nstruct S;",
            |_, item| item.clone(),
            "it is refused without an error",
        ),
        (
            "\nstruct S;",
            |_, item| tokens(&format!("{item} compile_error! {{ \"\" }}")),
            "an error says nothing",
        ),
        (
            "lock = 1, signals = 1\nfn f() {}",
            |_, item| attribute(&tokens("lock = 1"), item, Pass::First),
            "assertion failed: errors.len() >= mistakes",
        ),
        ("\nlet a = b;", |_, item| item.clone(), "assertion failed: "),
        (
            "\nfn f() {}",
            |_, item| tokens(&format!("{item} +")),
            "fn f () { } +",
        ),
        // In the body, only braces are ours to judge.
        (
            "\nfn f() { + }",
            |_, item| tokens(&format!("{item} -")),
            "fn f () { + } -",
        ),
        // The answer does not end in an error.
        (
            "\nstruct S;",
            |_, item| tokens(&format!("{item} compile_error! {{ \"a\" }} b! {{}}")),
            "it is refused without an error",
        ),
    ];
    for (text, answer, expected) in faults {
        let broken = |arguments: &TokenStream, item: &TokenStream, _| answer(arguments, item);
        let said = complaint(|| keeps_its_promises(broken, text));
        assert!(said.starts_with(expected), "{text}: {said}");
    }
}

#[test]
fn an_attribute_that_answers_differently_is_noticed() {
    let count = std::cell::Cell::new(0);
    let moody = |_: &TokenStream, _: &TokenStream, _| {
        count.set(count.get() + 1);
        tokens(&count.get().to_string())
    };
    let said = complaint(|| keeps_its_promises(moody, "\nfn f() {}"));
    assert!(
        said.starts_with("assertion `left == right` failed"),
        "{said}"
    );
}

#[test]
fn a_value_that_the_runtime_refuses_is_noticed() {
    for (argument, sound) in [
        ("path = \"/a\"", true),
        ("path = \"a/b~\"", true),
        ("path = a()", true),
        ("path = \"\"", false),
        ("path = \"/\"", false),
        ("path = \"~\"", false),
        ("path = \"~/a\"", false),
        ("path = \"/\\0a\"", false),
        ("path = 1", false),
        ("dir = \"/a/\"", true),
        ("dir = \"\"", false),
        ("dir = \"~\"", false),
        ("dir = \"~/a\"", false),
        ("name = \"a\"", true),
        ("name = \"a/b\"", false),
        ("name = \".\"", false),
        ("name = \"..\"", false),
        ("name = \"~\"", false),
        ("owner = \"a/b\"", true),
        ("owner = \"\"", false),
        ("chmod = 0o600", true),
        ("chmod = 0o664", true),
        ("chmod = -0o600", false),
        ("chmod = 0o400", false),
        ("chmod = 0o666", false),
        ("chmod = 0o1600", false),
        ("chmod = \"0o600\"", false),
        ("uid = 0", true),
        ("uid = 4294967294", true),
        ("uid = 4294967295", false),
        ("uid = 4294967296", false),
        ("uid = -1", false),
        ("lock = true", true),
        ("lock = -true", false),
        ("lock = 1", false),
        ("wait = 1", true),
        ("lock", true),
    ] {
        let parsed = args::parse(tokens(argument), &mut Mistakes::default());
        assert_eq!(parsed.len(), 1, "{argument}");
        assert_eq!(is_sound(&parsed[0]), sound, "{argument}");
    }
}

#[test]
fn a_search_that_breaks_a_promise_is_noticed() {
    let faults: [(&[&str], &str); 5] = [
        (&["b", "a"], "[\"b\", \"a\"]"),
        (&["a", "a"], "[\"a\", \"a\"]"),
        (&["fn"], "fn"),
        (&["pidfile"], "pidfile"),
        (&[], "\n[target."),
    ];
    for (names, expected) in faults {
        let search = |_: &str| names.iter().map(ToString::to_string).collect();
        let said = complaint(|| finds_usable_names(search, ""));
        assert!(said.starts_with(expected), "{names:?}: {said}");
    }
    for (text, is_read) in [
        ("", true),
        (&"[{".repeat(DEEPEST / 2), true),
        (&"[{".repeat(DEEPEST / 2 + 1), false),
    ] {
        assert_eq!(super::manifest(text), is_read, "{text}");
    }
}
