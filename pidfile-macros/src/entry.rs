//! Attributes that make another function of ours: the one that starts a runtime and runs the body in
//! it.
//!
//! Where such an attribute stands below `#[pidfile]` it has not done its work yet, and the pidfile
//! would be taken inside the runtime. So we let it go first.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, PathSegment, ReturnType, Token};

use crate::returns;

/// Attributes of an item that have to go first.
pub(crate) struct Entry {
    /// All up to the last one of that kind.
    pub(crate) attributes: TokenStream,
    /// What that one is called.
    pub(crate) name: String,
    /// Whether tests are made of this function, which take the attributes along and call it. Then it
    /// is right that it loses them.
    pub(crate) makes_cases: bool,
}

/// The attributes of an item, in two parts: those that have to go first, if there are any, and the
/// rest.
pub(crate) fn split(
    tokens: TokenStream,
    parsed: &[Attribute],
    is_main: bool,
) -> (Option<Entry>, TokenStream) {
    let mut entries = parsed
        .iter()
        .enumerate()
        .rev()
        .filter_map(|(i, attribute)| {
            let paths = paths(attribute);
            let path = paths.iter().find(|path| is_entry_path(path, is_main))?;
            Some((i, path.to_token_stream().to_string().replace(' ', "")))
        });
    let Some((last, name)) = entries.next() else {
        return (None, tokens);
    };
    // An attribute is a `#` and a group.
    let length = 2 * (last + 1);
    let attributes = tokens.clone().into_iter().take(length).collect();
    let rest = tokens.into_iter().skip(length).collect();
    let makes_cases = parsed[..last].iter().flat_map(paths).any(|path| {
        let name = path.segments.last();
        name.is_some_and(|name| CASES.iter().any(|cases| name.ident == cases))
    });
    let entry = Entry {
        attributes,
        name,
        makes_cases,
    };
    (Some(entry), rest)
}

/// What an attribute is called, or all that a `cfg_attr` may turn into.
fn paths(attribute: &Attribute) -> Vec<Path> {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let metas = Punctuated::<Meta, Token![,]>::parse_terminated;
            // The first one is the condition. If they are something else, the compiler says so.
            let metas = list.parse_args_with(metas).unwrap_or_default();
            metas.iter().skip(1).filter_map(copied).collect()
        }
        meta => copied(meta).into_iter().collect(),
    }
}

fn copied(meta: &Meta) -> Option<Path> {
    Path::parse_mod_style
        .parse2(meta.path().to_token_stream())
        .ok()
}

/// What says that the function is over before the server runs that it describes: the attribute
/// `launch`, or the type that this one fills in.
pub(crate) fn launch(parsed: &[Attribute], output: &ReturnType) -> Option<TokenStream> {
    let is_launch = |path: &Path| {
        let last = path.segments.last();
        last.is_some_and(|segment| segment.ident == "launch")
    };
    if let Some(path) = parsed.iter().flat_map(paths).find(is_launch) {
        return Some(path.into_token_stream());
    }
    returns::is_unlaunched(output).then(|| returns::tokens(output))
}

/// The macro at the beginning of the body while other attributes do their work. They may drop the
/// attributes below them, and then it is an error: nothing may run as if a pidfile were held.
pub(crate) const MARKER: &str = "__pidfile_dropped";

/// The same tokens without the marker, wherever the other attribute has moved it.
pub(crate) fn without_marker(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut trees = tokens.into_iter();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(ident) if ident == MARKER => {
                // The path before it, then `!` and the message.
                while kept.last().is_some_and(is_of_path) {
                    kept.pop();
                }
                trees.nth(1);
            }
            TokenTree::Group(group) if returns::contains(&group.stream(), &[MARKER]) => {
                let mut without = Group::new(group.delimiter(), without_marker(group.stream()));
                without.set_span(group.span());
                kept.push(without.into());
            }
            tree => kept.push(tree),
        }
    }
    kept.into_iter().collect()
}

/// Whether this may belong to the path of the marker, which is the first of its block.
fn is_of_path(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        TokenTree::Group(group) => group.delimiter() == Delimiter::None,
        TokenTree::Literal(_) => false,
    }
}

/// An attribute is known by its name, `main` or `test`. On `main` itself every attribute that is not
/// the compiler's own is taken for one, because an async `main` that is not turned into a plain one
/// does not compile anyway.
fn is_entry_path(path: &Path, is_main: bool) -> bool {
    let is_one_of = |segment: Option<&PathSegment>, names: &[&str]| {
        segment.is_some_and(|segment| names.iter().any(|name| segment.ident == name))
    };
    if is_one_of(path.segments.last(), &["main", "test"]) {
        return true;
    }
    let harmless = if path.segments.len() > 1 {
        TOOLS
    } else {
        BUILT_IN
    };
    is_main && !is_one_of(path.segments.first(), harmless)
}

/// Attributes that make tests of a function with parameters: of `rstest`, `rstest_reuse`, `test-case`
/// and `yare`.
const CASES: &[&str] = &[
    "rstest",
    "apply",
    "test_case",
    "test_matrix",
    "parameterized",
];

/// Tools whose attributes the compiler leaves alone.
const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];

/// The compiler's own attributes that may stand on a function.
const BUILT_IN: &[&str] = &[
    "allow",
    "automatically_derived",
    "cfg",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "instruction_set",
    "link_section",
    "must_use",
    "naked",
    "no_mangle",
    "optimize",
    "should_panic",
    "target_feature",
    "track_caller",
    "unsafe",
    "warn",
];
