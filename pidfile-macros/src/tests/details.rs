//! What depends on a single token of the arguments or the body.

use proc_macro2::{Delimiter, TokenStream};

use super::{expanded, grouped, messages, squeezed, tokens};
use crate::{Pass, args, attribute};

/// Whether the use is left to the second pass.
fn is_deferred(arguments: &str) -> bool {
    expanded(arguments, "#[tokio::main] async fn main() {}").contains("__pidfile_deferred")
}

#[test]
fn a_word_counts_as_a_key_where_its_value_is_announced() {
    for (arguments, message) in [
        ("pth: \"a\"", "unknown argument `pth`; did you mean `path`?"),
        (
            "pth::a",
            "only a string literal may stand alone; write `path = ...`",
        ),
        (
            "!lock",
            "a flag is switched off by its value; write `lock = false`",
        ),
        (
            "-lock",
            "only a string literal may stand alone; write `path = ...`",
        ),
        ("path: \"a\"", "expected `=` after `path`"),
        ("uid(7)", "`uid` takes its value after `=`: `uid = 7`"),
        ("uid(7, 8)", "`uid` takes its value after `=`: `uid = 33`"),
    ] {
        assert_eq!(messages(arguments, "fn f() {}"), [message], "{arguments}");
    }
}

#[test]
fn only_a_value_without_its_end_ends_too_early() {
    let too_early = "this value ends too early; expected more after it";
    for (arguments, message) in [
        ("path = a.1.", too_early),
        ("path = match a", too_early),
        ("on_error = |a", too_early),
        ("\"/a\", #[a: b]", too_early),
        ("path = !#[a b c]", too_early),
        ("path = f(#[a: b])", too_early),
        ("path = [x, #[a: b] #[c]]", too_early),
        ("on_error = |a b| c", "expected `,`"),
        ("path = [a; b c]", "unexpected token, expected `]`"),
    ] {
        assert_eq!(messages(arguments, "fn f() {}"), [message], "{arguments}");
    }
}

#[test]
fn what_is_awaited_in_a_value_is_awaited_in_the_function() {
    for value in [
        "x.await",
        "f(x.await)",
        "{ async; x.await }",
        "move(x.await)",
        "f(async { a }, b.await)",
    ] {
        assert!(!is_deferred(&format!("path = {value}")), "{value}");
    }
    for value in [
        "await_(x)",
        "x.awaits",
        "async { x.await }",
        "f(async move { x.await })",
        "f(a, async { x.await })",
    ] {
        assert!(is_deferred(&format!("path = {value}")), "{value}");
    }
}

#[test]
fn the_second_pass_undoes_the_first() {
    for (arguments, function) in [
        ("path = P, wait = \"5s\"", "async fn main() { BODY }"),
        (
            "path = P, crate = a::b",
            "#[inline] async fn main() -> X { a; { b } c(d) }",
        ),
        ("\"/a\"", "async fn main() { #![a] b::c!(d); e }"),
    ] {
        let first = expanded(arguments, &format!("#[tokio::main] {function}"));
        assert!(
            first.contains("__pidfile_dropped!{\"`#[tokio::main]`"),
            "{first}"
        );
        // The words are apart again, as the compiler hands them over.
        let item: TokenStream = function.parse().expect("tokens");
        let arguments: TokenStream = arguments.parse().expect("tokens");
        let main: TokenStream = format!("#[tokio::main] {function}")
            .parse()
            .expect("tokens");
        let deferred = attribute(&arguments, &main, Pass::First);
        // Without the two attributes in front, which the compiler has dealt with.
        let left = deferred.into_iter().skip(4).collect();
        assert_eq!(
            squeezed(&attribute(&arguments, &left, Pass::Deferred)),
            squeezed(&attribute(&arguments, &item, Pass::Deferred)),
        );
    }
}

#[test]
fn a_runtime_that_is_given_is_seen_in_spite_of_mistakes() {
    for (arguments, given) in [
        ("", false),
        ("path = a", false),
        ("path = crate::a", false),
        ("path = f(x, crate)", false),
        ("crate = a", true),
        ("path = a, crate", true),
        ("path = 5 +, crate == a", true),
        ("crat = a", true),
    ] {
        let arguments = arguments.parse().expect("tokens");
        assert_eq!(args::mentions_runtime(&arguments), given, "{arguments}");
    }
}

#[test]
fn a_body_may_come_through_a_fragment_of_a_macro() {
    for signature in ["fn f()", "async fn f() -> u8"] {
        let mut item: TokenStream = signature.parse().expect("tokens");
        item.extend(grouped(Delimiter::None, "{ #![a] b; c }"));
        let through = squeezed(&attribute(&TokenStream::new(), &item, Pass::First));
        assert_eq!(
            through,
            expanded("", &format!("{signature} {{ #![a] b; c }}"))
        );
    }
    // Two blocks are not a body.
    let mut item: TokenStream = "fn f()".parse().expect("tokens");
    item.extend(grouped(Delimiter::None, "{} {}"));
    let refused = attribute(&TokenStream::new(), &item, Pass::First).to_string();
    assert!(refused.contains("compile_error"), "{refused}");
}

#[test]
fn after_a_mistake_nothing_is_said_of_the_return_type() {
    let rejected = expanded("lock = 1", "fn f() -> X {}");
    assert!(!rejected.contains("FromAcquireError"), "{rejected}");
    assert!(
        rejected.contains("::pidfile::__private::panic(__pidfile_error)"),
        "{rejected}"
    );
    // A handler is there all the same.
    let rejected = expanded("lock = 1, on_error = g", "fn f() -> X {}");
    assert!(rejected.contains("g(__pidfile_error)"), "{rejected}");
}

#[test]
fn only_a_program_announces_that_it_waits() {
    for (arguments, item, announces) in [
        ("wait", "fn main() {}", true),
        ("replace = \"2s\"", "fn main() {}", true),
        ("lock, wait = x", "fn main() {}", true),
        ("wait", "fn f() {}", false),
        ("lock", "fn main() {}", false),
    ] {
        let expanded = expanded(arguments, item);
        assert_eq!(
            expanded.contains("announce("),
            announces,
            "{arguments} {item}"
        );
    }
}

#[test]
fn a_block_is_not_the_function_in_it() {
    assert_eq!(
        expanded("", "{ fn f() {} }"),
        tokens(
            "{
                const { ::core::assert!(false, \"`#[pidfile]` can only be used on a function\"); }
                { fn f() {} }
            }"
        )
    );
}

#[test]
fn what_is_no_function_is_named() {
    for (item, name) in [
        ("const X: u8 = 1;", "a `const`"),
        ("pub static X: u8 = 1;", "a `static`"),
        ("unsafe impl X for Y {}", "an `impl`"),
        ("unsafe auto trait X {}", "a `trait`"),
        ("default impl X for Y {}", "an `impl`"),
        ("default! {}", "a macro call"),
        ("safe! {}", "a macro call"),
        ("auto! {}", "a macro call"),
        ("gen! {}", "a macro call"),
        ("macro_rules! m {}", "a `macro_rules!`"),
        ("macro m() {}", "a `macro`"),
        ("union U {}", "a `union`"),
        ("extern crate a;", "an `extern crate`"),
        ("extern {}", "an `extern` block"),
        ("unsafe extern \"C\" {}", "an `extern` block"),
    ] {
        let message = format!("`#[pidfile]` cannot be used on {name}, only on a function");
        assert_eq!(messages("", item), [message], "{item}");
    }
    for modifiers in [
        "const",
        "const unsafe",
        "const async",
        "const extern",
        "const extern \"C\"",
    ] {
        let item = format!("pub {modifiers} fn f() {{}}");
        assert_eq!(
            messages("", &item),
            ["`#[pidfile]` cannot be used on a `const fn`"],
            "{item}"
        );
    }
    for modifiers in [
        "",
        "default",
        "default unsafe",
        "safe",
        "unsafe extern \"C\"",
        "extern",
    ] {
        let item = format!("{modifiers} fn f() {{}}");
        assert_eq!(messages("", &item), [""; 0], "{item}");
    }
}
