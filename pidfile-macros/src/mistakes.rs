//! What is wrong with one use of the attribute, and where.
//!
//! Every mistake keeps the first and the last token it is about: joining two spans into one is not
//! possible on stable, so the range is kept open until the message is emitted.

use std::fmt::Display;

use proc_macro2::{Delimiter, Span, TokenTree};
use quote::ToTokens;

/// All that was found so far, in the order it was found.
#[derive(Default)]
pub(crate) struct Mistakes {
    all: Vec<Mistake>,
}

/// One message, and the tokens it points at.
pub(crate) struct Mistake {
    pub(crate) start: Span,
    pub(crate) end: Span,
    pub(crate) message: String,
}

impl Mistakes {
    /// Notes a mistake about these tokens; without any, about the attribute itself.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        let mut trees = tokens.into_token_stream().into_iter();
        let start = trees.next();
        let end = trees.last().or_else(|| start.clone());
        self.all.push(Mistake {
            start: start.map_or_else(Span::call_site, |tree| first(&tree)),
            end: end.map_or_else(Span::call_site, |tree| last(&tree)),
            message: message.to_string(),
        });
    }

    /// Notes what the parser of Rust's own syntax has to say.
    pub(crate) fn syntax(&mut self, error: &syn::Error) {
        self.all.push(Mistake {
            start: error.span(),
            end: error.span(),
            message: error.to_string(),
        });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.all.iter()
    }
}

/// Where a token begins. What came through a fragment of a macro stands where the caller wrote it, not
/// where the macro uses it.
fn first(tree: &TokenTree) -> Span {
    inside(tree).map_or_else(
        || tree.span(),
        |trees| trees.first().map_or_else(|| tree.span(), first),
    )
}

/// Where it ends.
fn last(tree: &TokenTree) -> Span {
    inside(tree).map_or_else(
        || tree.span(),
        |trees| trees.last().map_or_else(|| tree.span(), last),
    )
}

/// What is in the invisible group that this is; also if there are parentheses around that.
fn inside(tree: &TokenTree) -> Option<Vec<TokenTree>> {
    let TokenTree::Group(group) = tree else {
        return None;
    };
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let passes = match (group.delimiter(), trees.as_slice()) {
        (Delimiter::None, _) => true,
        (Delimiter::Parenthesis, [only]) => inside(only).is_some(),
        _ => false,
    };
    passes.then_some(trees)
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
    use quote::ToTokens;

    use super::inside;

    fn grouped(delimiter: Delimiter, stream: impl ToTokens) -> TokenTree {
        Group::new(delimiter, stream.into_token_stream()).into()
    }

    #[test]
    fn only_what_came_through_a_fragment_stands_elsewhere() {
        let tokens: TokenStream = "a b".parse().expect("tokens");
        let fragment = || grouped(Delimiter::None, &tokens);
        let in_parentheses = |stream| grouped(Delimiter::Parenthesis, stream);
        for (tree, trees) in [
            (fragment(), Some(2)),
            (in_parentheses(fragment().into()), Some(1)),
            (
                in_parentheses(in_parentheses(fragment().into()).into()),
                Some(1),
            ),
            (in_parentheses(tokens.clone()), None),
            (
                in_parentheses([fragment(), fragment()].into_iter().collect()),
                None,
            ),
            (grouped(Delimiter::Brace, fragment()), None),
            (grouped(Delimiter::None, TokenStream::new()), Some(0)),
        ] {
            let found = inside(&tree).map(|trees| trees.len());
            assert_eq!(found, trees, "{tree:?}");
        }
    }
}
