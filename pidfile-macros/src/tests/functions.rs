//! What depends on a single token of the annotated function.

use proc_macro2::{Delimiter, TokenStream};

use super::{expanded, grouped, messages, squeezed, tokens};
use crate::{Pass, attribute};

#[test]
fn only_inner_attributes_are_taken_out_of_a_body() {
    for (body, attributes, rest) in [
        ("{ #![a] #![b(c)] d }", "#![a]#![b(c)]", "{d}"),
        ("{ #![a] #[b] c; d }", "#![a]", "{#[b]c;d}"),
        ("{ !a[0] }", "", "{!a[0]}"),
        ("{ #[a] [b] }", "", "{#[a][b]}"),
        ("{ a = [1]; b }", "", "{a=[1];b}"),
        ("{ a![b] }", "", "{a![b]}"),
        ("{ #!(a) b }", "", "{#!(a)b}"),
    ] {
        let expanded = expanded("", &format!("fn f() -> X {body}"));
        assert!(
            expanded.starts_with(&format!("fnf()->X{{{attributes}{{let_=")),
            "{expanded}"
        );
        assert!(expanded.ends_with(&format!("}};{rest}}}}}")), "{expanded}");
    }
}

#[test]
fn the_deferred_use_stands_behind_the_last_entry_attribute() {
    let deferred = "#[::pidfile::__private::__pidfile_deferred(\"/a\")]";
    for (before, after) in [
        ("#[tokio::main]", ""),
        ("#[a] #[b::main]", "#[inline]"),
        ("#[a] #[inline] #[b::test]", "#[cold] #[doc = \"\"]"),
        ("#[cfg_attr(x, b::main)]", "#[allow(y)]"),
    ] {
        let expanded = expanded("\"/a\"", &format!("{before} {after} async fn main() {{}}"));
        let expected = tokens(&format!("{before} {deferred} {after} async fn main()"));
        assert!(
            expanded.starts_with(&expected),
            "{before} {after}: {expanded}"
        );
    }
}

#[test]
fn only_what_makes_cases_may_take_the_attributes_along() {
    for (attributes, is_marked) in [
        ("#[tokio::test]", true),
        ("#[a] #[tokio::test]", true),
        ("#[rstest] #[tokio::test]", false),
        ("#[a::test_case(1)] #[inline] #[tokio::test]", false),
        ("#[tokio::test] #[rstest]", true),
    ] {
        let expanded = expanded("\"/a\"", &format!("{attributes} async fn f() {{}}"));
        assert_eq!(
            expanded.contains("__pidfile_dropped!"),
            is_marked,
            "{attributes}: {expanded}"
        );
    }
}

#[test]
fn a_value_that_is_being_written_is_kept_up_to_its_last_dot() {
    for (value, kept) in [
        ("a.", "a"),
        ("a.b().", "a.b()"),
        ("f(a., b.c.)", "f(a, b.c)"),
        ("{ a.; b }", "{ a; b }"),
        ("a.b", "a.b"),
    ] {
        let expanded = expanded(&format!("path = {value}"), "fn f() {}");
        assert!(
            expanded.contains(&tokens(&format!(".path({kept})"))),
            "{value}: {expanded}"
        );
    }
}

#[test]
fn a_type_with_an_impl_anywhere_is_not_written_twice() {
    for (ret, is_inferred) in [
        ("Y<Result<X, !>, impl A>", true),
        ("(X, Y<[impl A; 2]>)", true),
        ("Y<m!(A)>", true),
        ("Y<m![A], X>", true),
        ("Result<X, !>", false),
        ("[u8; !0]", false),
        ("Y<implementation>", false),
    ] {
        let expanded = expanded("", &format!("fn f() -> {ret} {{}}"));
        assert_eq!(
            expanded.contains("::fail("),
            is_inferred,
            "{ret}: {expanded}"
        );
    }
}

#[test]
fn a_return_type_may_come_through_a_fragment_of_a_macro() {
    for (ret, body) in [
        ("!", "{ a() }"),
        ("(!)", "{ a() }"),
        ("impl Future<Output = u8>", "{ async { 1 } }"),
    ] {
        let mut item: TokenStream = "fn f() ->".parse().expect("tokens");
        item.extend(grouped(Delimiter::None, ret));
        item.extend(body.parse::<TokenStream>());
        let through = squeezed(&attribute(&TokenStream::new(), &item, Pass::First));
        assert_eq!(through, expanded("", &format!("fn f() -> {ret} {body}")));
    }
}

#[test]
fn only_a_server_that_is_not_launched_is_refused() {
    for (ret, is_refused) in [
        ("Rocket<Build>", true),
        ("rocket::Rocket<rocket::Build>", true),
        ("_", true),
        ("(_)", true),
        ("Rocket<Ignite>", false),
        ("Build", false),
        ("Vec<_>", false),
        ("Rockets<Builds>", false),
    ] {
        let found = messages("", &format!("fn f() -> {ret} {{}}"));
        assert_eq!(found.len(), usize::from(is_refused), "{ret}: {found:?}");
    }
    assert_eq!(messages("", "#[launch] fn f() -> X {}").len(), 1);
    assert_eq!(messages("", "#[rocket::launch] fn f() -> X {}").len(), 1);
    assert_eq!(messages("", "#[launched] fn f() -> X {}"), [""; 0]);
}

#[test]
fn a_program_begins_in_a_function_of_that_name() {
    for (item, is_main) in [
        ("fn main() -> X {}", true),
        ("pub fn r#main() -> X {}", true),
        ("fn main(&self) -> X {}", false),
        ("fn main(self: Y) -> X {}", false),
        ("fn mains() -> X {}", false),
    ] {
        let expanded = expanded("", item);
        let found = expanded.contains("from_acquire_error_in_main(");
        assert_eq!(found, is_main, "{item}: {expanded}");
    }
}

#[test]
fn type_parameters_are_used_where_there_is_no_body() {
    for (item, used) in [
        ("fn f<T>() {}", &["T"][..]),
        ("fn f<'a, T: A, const N: u8, U>() {}", &["T", "U"]),
        ("fn f<T>() { g() }", &[]),
        ("fn f() {}", &[]),
    ] {
        let expanded = expanded("", item);
        assert_eq!(
            expanded.matches("*const").count(),
            used.len(),
            "{item}: {expanded}"
        );
        for name in used {
            assert!(
                expanded.contains(&format!("Option<*const{name}>;")),
                "{item}: {expanded}"
            );
        }
    }
}

#[test]
fn a_future_of_an_async_function_is_not_entered() {
    for body in ["async {}", "Box::pin(async {})", "async move { 1 }.boxed()"] {
        assert_eq!(
            messages(
                "",
                &format!("async fn f() -> BoxFuture<'static, u8> {{ {body} }}")
            ),
            [
                "`#[pidfile]` would be released before the future that this returns runs; await it here"
            ],
            "{body}"
        );
    }
}

#[test]
fn a_value_with_a_dyn_in_its_type_stands_in_a_match() {
    for (ret, in_match) in [("Box<dyn A>", true), ("Box<A>", false), ("impl A", false)] {
        let expanded = expanded("", &format!("fn f() -> {ret} {{ x }}"));
        assert_eq!(
            expanded.contains("match(){()=>{x}}"),
            in_match,
            "{ret}: {expanded}"
        );
    }
}
