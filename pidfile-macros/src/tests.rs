//! The whole attribute on token streams: what it answers, and that it always answers.
//!
//! Where a message points cannot be seen here, outside a compiler; `ui-tests` shows it.

mod details;
mod functions;
mod literals;
mod names;
mod recorded;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::mistakes::Mistakes;
use crate::{Pass, args, attribute, config, item};

/// Everything that is wrong with this use.
fn messages(arguments: &str, item: &str) -> Vec<String> {
    let mut mistakes = Mistakes::default();
    let arguments = args::parse(arguments.parse().expect("tokens"), &mut mistakes);
    config::check(arguments, &mut mistakes);
    item::parse(item.parse().expect("tokens"), &mut mistakes);
    mistakes
        .iter()
        .map(|mistake| mistake.message.clone())
        .collect()
}

fn expanded(arguments: &str, item: &str) -> String {
    let arguments = arguments.parse().expect("tokens");
    let item = item.parse().expect("tokens");
    squeezed(&attribute(&arguments, &item, Pass::First))
}

/// The same tokens, as `expanded` prints them.
fn tokens(text: &str) -> String {
    squeezed(&text.parse().expect("tokens"))
}

/// Without the blanks, which depend on how the tokens came about.
fn squeezed(tokens: &TokenStream) -> String {
    tokens.to_string().split_whitespace().collect()
}

fn grouped(delimiter: Delimiter, tokens: &str) -> TokenStream {
    let group = Group::new(delimiter, tokens.parse().expect("tokens"));
    TokenStream::from(TokenTree::from(group))
}

#[test]
fn well_formed_arguments_are_accepted() {
    for arguments in [
        "",
        "\"/run/a.pid\"",
        "\"/run/a.pid\",",
        "(\"/run/a.pid\")",
        "path = \"a\", chmod = 0o6_00u32, lock, signals = false || x, at_exit = !true",
        "r#path = p",
        "name = f::<A, B>(1, 2), on_error = |a, b| g::<A, B>(a, b)",
        "path = match x { _ => \"a\" }",
        "crate = crate::inner",
        "crate = ::a::b",
        "crate = \"a::b\"",
        "uid = 0, gid = 4294967294",
        "owner = \"root\", group = g",
        "chmod = M | 0o040",
        "path = { let x = 1; x }",
        "path = return",
        "on_error = std::mem::drop",
    ] {
        assert_eq!(messages(arguments, "fn f() {}"), [""; 0], "{arguments}");
    }
}

#[test]
fn every_mistake_is_reported_once_and_all_together() {
    assert_eq!(
        messages(
            "path = \"/x\", chmd = 600, wiat = 3, name = \"z\", lock = 1",
            "struct S;"
        ),
        [
            "unknown argument `chmd`; did you mean `chmod`?",
            "unknown argument `wiat`; did you mean `wait`?",
            "`name` cannot be combined with `path`",
            "`lock` takes `true` or `false`",
            "`#[pidfile]` cannot be used on a `struct`, only on a function",
        ]
    );
}

#[test]
fn after_a_syntax_error_the_rest_is_still_read() {
    assert_eq!(
        messages(
            "path = 5 +, chmod = , lock => true, uid 3, gid(4 + 4), name = \"\"",
            "fn f() {}"
        ),
        [
            "this value ends too early; expected more after it",
            "`chmod` needs a value: `chmod = 0o644`",
            "expected `=` after `lock`",
            "expected `=` after `uid`",
            "`gid` takes its value after `=`: `gid = 33`",
            "`name` is empty",
        ]
    );
}

#[test]
fn nothing_is_left_unread() {
    for (arguments, message) in [
        ("\"/a\" \"b\"", "expected `,` after the value of `path`"),
        ("\"/a\" lock", "expected `,` after the value of `path`"),
        ("lock signals", "expected `=` after `lock`"),
        (
            "lock = true signals",
            "expected `,` after the value of `lock`",
        ),
        (",", "expected an expression"),
        ("lock,,", "expected an expression"),
        (
            "pth \"a\"",
            "only a string literal may stand alone; write `path = ...`",
        ),
    ] {
        assert_eq!(messages(arguments, "fn f() {}"), [message], "{arguments}");
    }
}

#[test]
fn fragments_of_macros_are_seen_through() {
    let mut arguments: TokenStream = "path =".parse().expect("tokens");
    arguments.extend(grouped(Delimiter::None, "\"\""));
    let mut mistakes = Mistakes::default();
    let parsed = args::parse(arguments, &mut mistakes);
    config::check(parsed, &mut mistakes);
    let found: Vec<_> = mistakes
        .iter()
        .map(|mistake| mistake.message.as_str())
        .collect();
    assert_eq!(found, ["`path` is empty"]);

    let item = "#[inline] pub fn f() -> u8 { 1 }";
    let fragment = grouped(Delimiter::None, item);
    let through = attribute(&TokenStream::new(), &fragment, Pass::First);
    assert_eq!(squeezed(&through), expanded("", item));
}

#[test]
fn the_expansion_is_the_one_that_is_drawn() {
    assert_eq!(
        expanded(
            "path = P, lock",
            "#[inline] pub fn f(x: u8) -> Ret { #![a] BODY }"
        ),
        tokens(
            "#[inline] pub fn f(x: u8) -> Ret {
                #![a]
                {
                    let _ = &{
                        match ::pidfile::Options::acquire(
                            &{ { ::pidfile::Options::new().path(P) }.lock(true) }
                        ) {
                            ::pidfile::__private::Ok(__pidfile_guard) => __pidfile_guard,
                            ::pidfile::__private::Err(__pidfile_error) => return
                                <_ as ::pidfile::FromAcquireError>::from_acquire_error(__pidfile_error),
                        }
                    };
                    { BODY }
                }
            }"
        )
    );
}

#[test]
fn failure_follows_the_return_type() {
    for (arguments, item, failed) in [
        (
            "",
            "fn f() {}",
            "return <() as ::pidfile::FromAcquireError>::from_acquire_error(__pidfile_error)",
        ),
        (
            "crate = a::b",
            "fn main() -> X {}",
            "return <_ as a::b::FromAcquireError>::from_acquire_error_in_main(__pidfile_error)",
        ),
        (
            "",
            "fn f() -> ! {}",
            "::pidfile::__private::panic(__pidfile_error)",
        ),
        (
            "",
            "fn main() -> ! {}",
            "::pidfile::__private::exit(__pidfile_error)",
        ),
        (
            "",
            "fn f() -> Result<impl A, B> {}",
            "return ::pidfile::__private::fail(__pidfile_error)",
        ),
        (
            "",
            "fn main() -> impl A {}",
            "return ::pidfile::__private::fail_in_main(__pidfile_error)",
        ),
        (
            "",
            "fn f() -> m!(A) {}",
            "return ::pidfile::__private::fail(__pidfile_error)",
        ),
        (
            "on_error = a::b",
            "fn f() -> X {}",
            "return ::pidfile::__private::on_error::<X, _>(__pidfile_error, |__pidfile_error| a::b(__pidfile_error))",
        ),
        (
            "on_error = |e| {}",
            "fn f() {}",
            "return ::pidfile::__private::on_error::<(), _>(__pidfile_error, |e| {})",
        ),
        (
            "on_error = |e| 1",
            "fn f() -> X {}",
            "return ::pidfile::__private::on_error::<X, _>(__pidfile_error, |e| 1)",
        ),
        (
            "on_error = |e| -> X { 1 }",
            "fn f() -> X {}",
            "return ::pidfile::__private::on_error(__pidfile_error, |e| -> X { 1 })",
        ),
        (
            "on_error = |e| -> ! { e() }",
            "fn f() -> X {}",
            "::pidfile::__private::on_error_diverging(__pidfile_error, |e| -> ! { e() })",
        ),
        (
            "on_error = a::b",
            "fn main() -> ! {}",
            "::pidfile::__private::on_error_diverging(__pidfile_error, |__pidfile_error| a::b(__pidfile_error))",
        ),
        (
            "on_error = |e| 1",
            "fn f() -> impl A {}",
            "return ::pidfile::__private::on_error(__pidfile_error, |e| 1)",
        ),
    ] {
        let expanded = expanded(arguments, item);
        let failed = tokens(&format!("(__pidfile_error) => {failed}"));
        assert!(expanded.contains(&failed), "{arguments} {item}: {expanded}");
    }
}

#[test]
fn a_future_is_entered_and_its_surroundings_stay() {
    for (around, ret) in [
        ("{ async move BLOCK }", "impl Future<Output = u8> + Send"),
        ("{ async BLOCK }", "impl std::future::Future"),
        ("{ async BLOCK }", "impl Send + Future<Output = u8>"),
        ("{ #![a] async BLOCK }", "impl Future"),
        ("{ async BLOCK }", "impl TryFuture<Ok = u8, Error = ()>"),
        (
            "{ Box::pin(async move BLOCK) }",
            "Pin<Box<dyn Future<Output = u8> + 'a>>",
        ),
        (
            "{ ::std::boxed::Box::pin(#[a] async move BLOCK,) }",
            "std::pin::Pin<Box<dyn Future>>",
        ),
        ("{ Box::pin(async move BLOCK) }", "BoxFuture<'_, u8>"),
        ("{ async move BLOCK.boxed() }", "BoxFuture<'_, u8>"),
        ("{ async BLOCK.boxed_local() }", "LocalBoxFuture<'_, u8>"),
    ] {
        let item = format!("fn f() -> {ret} {around}").replace("BLOCK", "{ 1 }");
        let held = expanded("", &item);
        let (before, after) = around.split_once("BLOCK").expect("a block");
        let output = ret.contains("Output").then_some(
            "if let ::pidfile::__private::Some(__pidfile_never) = ::pidfile::__private::None::<u8> {
                return __pidfile_never;
            }",
        );
        let output = output.unwrap_or_default();
        let before = format!("fn f() -> {ret} {before} {{ {output} {{ let _ =");
        let [before, after] =
            [&before, after].map(|text| text.split_whitespace().collect::<String>());
        assert!(held.starts_with(&before), "{item}: {held}");
        assert!(
            held.ends_with(&format!("{{1}}}}}}{after}")),
            "{item}: {held}"
        );
    }
    for body in [
        "{ let x = 1; async move { x } }",
        "{ ; { f() } async {} }",
        "{ async gen {} }",
        "{ gen move {} }",
        "{ f() }",
        "{ spawn(async {}) }",
        "{ MyBox::pin(async {}) }",
        "{ a(); ::a::Box::pin(async {}) }",
        "{ async {}.boxes() }",
        "{ async {}.boxed(x) }",
        "{ async {}, boxed() }",
        "{ async {}, }",
        "{ Box::pin(async {};) }",
        "{}",
    ] {
        let found = messages("", &format!("fn f() -> impl Future {body}"));
        assert_eq!(found.len(), 1, "{body}: {found:?}");
    }
}

#[test]
fn entry_attributes_go_first() {
    for (item, deferred) in [
        ("#[tokio::main] async fn main() {}", true),
        ("#[tokio::main] async fn start() {}", true),
        ("#[tokio::test] async fn works() {}", true),
        ("#[tokio::test(a = \"b\")] async fn works() {}", true),
        ("#[a(b, tokio::test)] async fn works() {}", false),
        (
            "#[cfg_attr(a, tokio::test(b = \"c\"))] async fn works() {}",
            true,
        ),
        ("#[runtime] async fn main() {}", true),
        ("#[runtime] async fn start() {}", false),
        (
            "#[allow(x)] #[clippy::x] #[doc = \"\"] async fn main() {}",
            false,
        ),
        ("#[cfg_attr(main, inline)] async fn start() {}", false),
        ("#[tokio::main] fn main() {}", false),
        ("async fn main() {}", false),
    ] {
        let first = expanded("\"/a\"", item);
        let hidden = tokens("#[::pidfile::__private::__pidfile_deferred(\"/a\")]");
        assert_eq!(first.contains(&hidden), deferred, "{item}: {first}");
        let item = item.parse().expect("tokens");
        let second = attribute(&TokenStream::new(), &item, Pass::Deferred).to_string();
        assert!(second.contains("__pidfile_guard"), "{item}: {second}");
    }
}
