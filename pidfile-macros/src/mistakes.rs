//! What is wrong with one use of the attribute, and where.
//!
//! Every mistake keeps the first and the last token it is about: joining two spans into one is not
//! possible on stable, so the range is kept open until the message is emitted.

use std::fmt::Display;

use proc_macro2::{Span, TokenTree};
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
        let span = |tree: Option<TokenTree>| tree.map_or_else(Span::call_site, |tree| tree.span());
        self.all.push(Mistake {
            start: span(start),
            end: span(end),
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
