//! Arguments that name something: a handler, the guard, the runtime.

use proc_macro2::{Delimiter, TokenStream};

use super::{expanded, grouped, messages, squeezed, tokens};
use crate::{Pass, attribute};

#[test]
fn a_handler_in_brackets_is_the_handler() {
    let typed = "on_error::<X, _>(__pidfile_error, |e| 1)";
    for (handler, called) in [
        ("|e| 1", typed),
        ("(|e| 1)", typed),
        ("{ |e| 1 }", typed),
        ("({ (|e| 1) })", typed),
        ("{ |e| 1; }", "on_error(__pidfile_error, { |e| 1; })"),
        ("{ a; |e| 1 }", "on_error(__pidfile_error, { a; |e| 1 })"),
        ("'a: { |e| 1 }", "on_error(__pidfile_error, 'a: { |e| 1 })"),
        (
            "#[a] { |e| 1 }",
            "on_error(__pidfile_error, #[a] { |e| 1 })",
        ),
        (
            "{ { 'a: { |e| 1 } } }",
            "on_error(__pidfile_error, 'a: { |e| 1 })",
        ),
        ("a(b)", "on_error(__pidfile_error, a(b))"),
    ] {
        let expanded = expanded(&format!("on_error = {handler}"), "fn f() -> X {}");
        assert!(expanded.contains(&tokens(called)), "{handler}: {expanded}");
    }
    let mut arguments: TokenStream = "on_error =".parse().expect("tokens");
    arguments.extend(grouped(Delimiter::None, "|e| 1"));
    let item = "fn f() -> X {}".parse().expect("tokens");
    let through = squeezed(&attribute(&arguments, &item, Pass::First));
    assert_eq!(through, expanded("on_error = |e| 1", "fn f() -> X {}"));
}

#[test]
fn what_is_not_a_handler_is_refused() {
    for handler in ["1", "\"a\"", "-1", "(1)", "{ 1 }", "{ \"a\" }"] {
        assert_eq!(
            messages(&format!("on_error = {handler}"), "fn f() {}"),
            ["`on_error` takes a function or a closure, such as `|error| ...`"],
            "{handler}"
        );
    }
}

#[test]
fn the_guard_gets_a_name_and_nothing_else() {
    for name in ["g", "r#g", "(g)"] {
        let found = messages(&format!("held = {name}"), "fn f() {}");
        assert_eq!(found, [""; 0], "{name}");
    }
    for name in [
        "1",
        "a::b",
        "::a",
        "a::<b>",
        "<a>::b",
        "<a as b>::c",
        "#[a] b",
        "self",
        "Self",
        "super",
        "crate",
        "_",
        "a()",
    ] {
        assert_eq!(
            messages(&format!("held = {name}"), "fn f() {}"),
            ["`held` takes a name for the guard, such as `held = guard`"],
            "{name}"
        );
    }
}

#[test]
fn the_runtime_is_a_plain_path() {
    for (path, written) in [
        ("a", "a"),
        ("::a::b", "::a::b"),
        ("(crate::a)", "crate::a"),
        ("\"a::b\"", "a::b"),
        ("self", "self"),
    ] {
        let expanded = expanded(&format!("crate = {path}"), "fn f() {}");
        let written = tokens(&format!("{written}::Options::new()"));
        assert!(expanded.contains(&written), "{path}: {expanded}");
    }
    for path in [
        "1",
        "a()",
        "a::<b>",
        "a::<b>::c",
        "<a>::b",
        "<a as b>::c",
        "#[a] b",
        "\"a::<b>\"",
        "\"a b\"",
        "\"\"",
        "b\"a\"",
    ] {
        assert_eq!(
            messages(&format!("crate = {path}"), "fn f() {}"),
            ["`crate` takes a path, such as `crate = ::my_crate::pidfile`"],
            "{path}"
        );
    }
}
