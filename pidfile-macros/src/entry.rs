//! Attributes that make another function of ours: the one that starts a runtime and runs the body in
//! it.
//!
//! Where such an attribute stands below `#[pidfile]` it has not done its work yet, and the pidfile
//! would be taken inside the runtime. So we let it go first.

use proc_macro2::TokenStream;
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, PathSegment, Token};

/// The attributes of an item, in two parts: those up to the last one that has to go first, and the
/// rest. The first part is empty if there is none.
pub(crate) fn split(
    tokens: TokenStream,
    parsed: &[Attribute],
    is_main: bool,
) -> (TokenStream, TokenStream) {
    let last = parsed
        .iter()
        .rposition(|attribute| is_entry(attribute, is_main));
    // An attribute is a `#` and a group.
    let length = last.map_or(0, |last| 2 * (last + 1));
    let first = tokens.clone().into_iter().take(length).collect();
    (first, tokens.into_iter().skip(length).collect())
}

/// An attribute is known by its name, `main` or `test`. On `main` itself every attribute that is not
/// the compiler's own is taken for one, because an async `main` that nobody turns into a plain one
/// does not compile anyway.
fn is_entry(attribute: &Attribute, is_main: bool) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let metas = Punctuated::<Meta, Token![,]>::parse_terminated;
            // The first one is the condition. If they are something else, the compiler says so.
            list.parse_args_with(metas).is_ok_and(|metas| {
                let mut conditional = metas.iter().skip(1);
                conditional.any(|meta| is_entry_path(meta.path(), is_main))
            })
        }
        meta => is_entry_path(meta.path(), is_main),
    }
}

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
