//! What holds for every use of the attribute, and for every manifest.
//!
//! The programs in `fuzz/` call these functions with texts of their own making, and the test below with
//! those that are kept there. A text that breaks a promise makes them panic.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "hidden, and a panic is the answer"
)]

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, ImplItemFn, ItemFn, Lit, Signature, TraitItemFn, Visibility};

use crate::args::{self, Argument};
use crate::item::{Function, Item};
use crate::keys::Kind;
use crate::mistakes::Mistakes;
use crate::{Pass, config, entry, item, renamed, toml};

/// How deep brackets may be nested. The parsers call themselves for each of them, as the compiler's own
/// does, and at some depth there is no stack left.
const DEEPEST: usize = 64;

/// A use of the attribute: its arguments in the first line, and below them what it stands on. The result
/// is whether the text is one.
pub fn attribute(text: &str) -> bool {
    keeps_its_promises(crate::attribute, text)
}

fn keeps_its_promises(
    attribute: impl Fn(&TokenStream, &TokenStream, Pass) -> TokenStream,
    text: &str,
) -> bool {
    let (arguments, item) = text.split_once('\n').unwrap_or((text, ""));
    // The texts of earlier uses, which would be kept with their spans.
    #[cfg(pidfile_fuzzing)]
    proc_macro2::extra::invalidate_current_thread_spans();
    // The compiler has made tokens of it before the attribute is asked.
    let (Ok(arguments), Ok(item)) = (tokens(arguments), tokens(item)) else {
        return false;
    };
    if depth(&arguments).max(depth(&item)) > DEEPEST {
        return false;
    }
    for pass in [Pass::First, Pass::Deferred] {
        let answer = attribute(&arguments, &item, pass);
        let again = attribute(&arguments, &item, pass);
        assert_eq!(answer.to_string(), again.to_string());

        let item = match pass {
            Pass::First => item.clone(),
            Pass::Deferred => entry::without_marker(item.clone()),
        };
        let mut mistakes = Mistakes::default();
        let parsed = args::parse(arguments.clone(), &mut mistakes);
        let sound = parsed.iter().all(is_sound);
        let names_runtime = parsed.iter().any(|parsed| parsed.key.kind == Kind::Runtime);
        config::check(parsed, &mut mistakes);
        #[cfg(pidfile_fuzzing)]
        let of_arguments = mistakes.iter().count();
        let found = item::parse(item.clone(), &mut mistakes);
        if matches!(&found, Item::Function(function) if !is_all(&item, function)) {
            // The compiler hands over one item.
            return false;
        }
        assert!(
            contains_all(&answer, &item),
            "a token of the item is lost: {answer}"
        );

        // An item that is not changed may be an error itself.
        let kept = match &found {
            Item::Function(_) => 0,
            Item::Refused => item.clone().into_iter().count(),
            Item::Code => answer.clone().into_iter().count(),
        };
        let errors = errors(&answer, kept);
        match found {
            Item::Code => assert!(
                answer
                    .to_string()
                    .contains("can only be used on a function")
            ),
            Item::Function(_) if errors.is_empty() => {
                assert!(mistakes.is_empty(), "it is accepted with a mistake");
                assert!(sound, "the runtime is going to refuse it");
                assert!(!names_runtime || args::mentions_runtime(&arguments));
                expect_parses(&item, &answer);
            }
            Item::Function(_) | Item::Refused => {
                assert!(!errors.is_empty(), "it is refused without an error");
                assert!(errors.len() >= mistakes.iter().count());
            }
        }
        for (message, _, _) in &errors {
            assert!(message.len() > 2, "an error says nothing");
        }
        #[cfg(pidfile_fuzzing)]
        for (at, (message, start, end)) in errors.iter().rev().enumerate() {
            expect_shown(text, message, [*start, *end], at < of_arguments);
        }
    }
    true
}

fn tokens(text: &str) -> Result<TokenStream, proc_macro2::LexError> {
    text.parse()
}

fn depth(tokens: &TokenStream) -> usize {
    let mut deepest = 0;
    let mut todo = vec![(tokens.clone(), 0)];
    while let Some((tokens, depth)) = todo.pop() {
        deepest = deepest.max(depth);
        for tree in tokens {
            if let TokenTree::Group(group) = tree {
                todo.push((group.stream(), depth + 1));
            }
        }
    }
    deepest
}

/// Whether nothing follows the function.
fn is_all(item: &TokenStream, function: &Function) -> bool {
    let mut parts = TokenStream::new();
    if let Some(entry) = &function.entry {
        parts.extend(entry.attributes.clone());
    }
    parts.extend(function.attributes.clone());
    parts.extend(function.signature.clone());
    parts.extend([function.body.clone()]);
    let [parts, whole] = [&parts, item].map(|tokens| {
        let mut flat = Vec::new();
        flatten(tokens, &mut flat);
        flat
    });
    assert!(whole.starts_with(&parts), "{parts:?} is not {item}");
    parts == whole
}

/// Whether the second tokens are among the first ones, in their order.
fn contains_all(tokens: &TokenStream, others: &TokenStream) -> bool {
    let mut flat = Vec::new();
    flatten(tokens, &mut flat);
    let mut wanted = Vec::new();
    flatten(others, &mut wanted);
    let mut rest = flat.iter();
    wanted
        .iter()
        .all(|wanted| rest.any(|token| token == wanted))
}

fn flatten(tokens: &TokenStream, into: &mut Vec<String>) {
    for tree in tokens.clone() {
        let TokenTree::Group(group) = &tree else {
            into.push(tree.to_string());
            continue;
        };
        let (open, close) = match group.delimiter() {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Brace => ("{", "}"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::None => ("", ""),
        };
        into.push(open.into());
        flatten(&group.stream(), into);
        into.push(close.into());
    }
}

/// The errors at the end of an answer, behind the tokens that are kept: what each says, and where it
/// begins and ends.
fn errors(answer: &TokenStream, kept: usize) -> Vec<(String, Span, Span)> {
    let trees: Vec<TokenTree> = answer.clone().into_iter().skip(kept).collect();
    let mut rest = trees.as_slice();
    let mut errors = Vec::new();
    while let [
        before @ ..,
        TokenTree::Ident(name),
        TokenTree::Punct(bang),
        TokenTree::Group(message),
    ] = rest
    {
        if name != "compile_error" || bang.as_char() != '!' {
            break;
        }
        let text = message.stream().to_string();
        assert!(syn::parse_str::<syn::LitStr>(&text).is_ok(), "{text}");
        errors.push((text, name.span(), message.span()));
        rest = before;
    }
    errors
}

/// Whether the runtime accepts the value too, if that can be seen.
fn is_sound(argument: &Argument) -> bool {
    let literal = argument.value.as_ref().and_then(|value| value.literal());
    let Some((literal, negative)) = literal else {
        return true;
    };
    match (argument.key.kind, literal) {
        (Kind::Text, Lit::Str(string)) => {
            let value = string.value();
            let is_name = !value.contains('/') && value != "." && value != "..";
            !value.is_empty()
                && !value.contains('\0')
                && match argument.key.name {
                    "path" => !value.ends_with('/') && !value.starts_with("~/") && value != "~",
                    "dir" => !value.starts_with("~/") && value != "~",
                    "name" => is_name && value != "~",
                    _ => true,
                }
        }
        (Kind::Mode, Lit::Int(mode)) => {
            let bits = mode.base10_parse::<u32>();
            bits.is_ok_and(|bits| !negative && bits & !0o664 == 0 && bits & 0o600 == 0o600)
        }
        (Kind::Id, Lit::Int(id)) => {
            !negative && id.base10_parse::<u32>().is_ok_and(|id| id != u32::MAX)
        }
        (Kind::Flag, Lit::Bool(_)) => !negative,
        (Kind::Text | Kind::Mode | Kind::Id | Kind::Flag, _) => false,
        (Kind::Wait | Kind::Handler | Kind::Guard | Kind::Runtime, _) => true,
    }
}

/// An answer is Rust wherever the item was. A body that is not Rust stays as it was, and what is before
/// it can be read.
fn expect_parses(item: &TokenStream, answer: &TokenStream) {
    let fits = |parses: fn(&TokenStream) -> bool| !parses(item) || parses(answer);
    assert!(
        fits(|tokens| syn::parse2::<ItemFn>(tokens.clone()).is_ok()),
        "{answer}"
    );
    assert!(
        fits(|tokens| syn::parse2::<ImplItemFn>(tokens.clone()).is_ok()),
        "{answer}"
    );
    assert!(
        fits(|tokens| syn::parse2::<TraitItemFn>(tokens.clone()).is_ok()),
        "{answer}"
    );
    let head = |tokens: &TokenStream| {
        let head = |input: ParseStream| {
            input.call(Attribute::parse_outer)?;
            input.parse::<Visibility>()?;
            input.parse::<Signature>()?;
            let body: proc_macro2::Group = input.parse()?;
            Ok(body.delimiter() == Delimiter::Brace)
        };
        head.parse2(tokens.clone()).is_ok_and(|is_braced| is_braced)
    };
    assert!(!head(item) || head(answer), "{answer}");
}

/// An error stands somewhere in the text. What the parser says of an item that ends too early stands
/// nowhere, but the compiler says so before.
#[cfg(pidfile_fuzzing)]
fn expect_shown(text: &str, message: &str, spans: [Span; 2], is_of_arguments: bool) {
    for span in spans {
        let shown = span.source_text();
        let is_shown = match &shown {
            Some(shown) => !shown.is_empty() && text.contains(shown),
            None => !is_of_arguments,
        };
        assert!(is_shown, "{message} stands at {shown:?}");
    }
}

/// Every name of the runtime in a manifest can be written after `crate =`. The result is whether the text
/// has been read.
pub fn manifest(text: &str) -> bool {
    finds_usable_names(|text| renamed::names_in(text, |_| None), text)
}

fn finds_usable_names(names_in: impl Fn(&str) -> Vec<String>, text: &str) -> bool {
    if text.matches(['[', '{']).count() > DEEPEST {
        return false;
    }
    for entry in toml::entries(text) {
        assert!(!entry.path.is_empty());
        for part in entry.path.iter().chain([&entry.value]) {
            assert!(text.contains(part), "{part}");
        }
    }
    let names = names_in(text);
    assert!(names.is_sorted_by(|one, other| one < other), "{names:?}");
    for name in names {
        assert!(
            syn::parse_str::<syn::Ident>(&name).is_ok() && name != "pidfile",
            "{name}"
        );
        let mut mistakes = Mistakes::default();
        let runtime = tokens(&format!("crate = {name}")).expect("tokens");
        config::check(args::parse(runtime, &mut mistakes), &mut mistakes);
        assert!(mistakes.is_empty(), "{name}");
    }
    // It is found behind anything that can be read to its end.
    let longer = format!(
        "{text}\n[target.'cfg(unix)'.dependencies]\nother-name = {{ package = 'pidfile' }}\n"
    );
    let there = ["target", "cfg(unix)", "dependencies", "other-name"];
    if toml::entries(&longer)
        .last()
        .is_some_and(|last| last.path == there)
    {
        let names = names_in(&longer);
        let is_found = names.iter().any(|name| name == "other_name");
        assert!(is_found || text.contains("pidfile"), "{longer}");
    }
    true
}

#[cfg(test)]
mod tests;
