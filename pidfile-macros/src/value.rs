//! A value: an expression, with the tokens it was written with.
//!
//! It is parsed, because only Rust's own grammar knows where an expression ends (`f::<A, B>(1)` and
//! `|a, b| a` have commas of their own), but it is kept as the tokens that were written.

use proc_macro2::{Group, TokenStream, TokenTree};
use syn::buffer::Cursor;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Lit, Token};

use crate::keys::{Key, Kind};
use crate::mistakes::Mistakes;

/// An expression, and the tokens it was written with.
pub(crate) struct Value {
    pub(crate) tokens: TokenStream,
    pub(crate) expr: Expr,
}

impl Value {
    /// Parses a value. What is wrong in it is noted once: the parser works on a fork, because what is left
    /// unread in a group of the original is a mistake to `syn` as well.
    pub(crate) fn parse(input: ParseStream, mistakes: &mut Mistakes) -> Option<Value> {
        let start = input.cursor();
        let ahead = input.fork();
        match ahead.parse() {
            Ok(expr) => {
                let tokens = between(start, ahead.cursor());
                input.advance_to(&ahead);
                Some(Value { tokens, expr })
            }
            Err(error) => {
                rest_of_argument(input);
                let written = between(start, input.cursor());
                match written.clone().into_iter().last() {
                    Some(last) if is_cut_off(written.clone()) => {
                        mistakes.at(last, "this value ends too early; expected more after it");
                    }
                    _ => mistakes.syntax(&error),
                }
                // For the editor, which asks what may follow the dot.
                let tokens = without_last_dots(written);
                let expr = syn::parse2(tokens.clone()).ok()?;
                Some(Value { tokens, expr })
            }
        }
    }

    /// The literal that this is, if it is one: through parentheses and fragments of macros, with
    /// `true` if a minus sign stands before it.
    pub(crate) fn literal(&self) -> Option<(&Lit, bool)> {
        match unwrapped(&self.expr) {
            Expr::Lit(literal) => Some((&literal.lit, false)),
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
                match unwrapped(&unary.expr) {
                    Expr::Lit(literal) => Some((&literal.lit, true)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The name of the flag in `!flag`.
    pub(crate) fn denied(&self) -> Option<&'static str> {
        match unwrapped(&self.expr) {
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
                let Expr::Path(path) = unwrapped(&unary.expr) else {
                    return None;
                };
                let key = Key::named(&path.path.get_ident()?.to_string())?;
                (key.kind == Kind::Flag).then_some(key.name)
            }
            _ => None,
        }
    }

    /// The expression without the parentheses and invisible groups around it.
    pub(crate) fn unwrapped(&self) -> &Expr {
        unwrapped(&self.expr)
    }
}

fn unwrapped(mut expr: &Expr) -> &Expr {
    loop {
        expr = match expr {
            Expr::Paren(inner) => &inner.expr,
            Expr::Group(inner) => &inner.expr,
            _ => return expr,
        };
    }
}

/// Whether these tokens are an expression that has an end missing. Of a single missing token, such as the
/// `|` after `|a`, `syn` does not say that the input has ended.
fn is_cut_off(tokens: TokenStream) -> bool {
    let mut message = String::new();
    let mut is_at_end = false;
    let parser = |input: ParseStream| {
        if let Err(error) = input.parse::<Expr>() {
            message = error.to_string();
        }
        is_at_end = input.is_empty();
        input.parse::<TokenStream>()
    };
    // An error means that something in a group is left unread, as in `#[a: b]` or `f(a b)`.
    let is_read = parser.parse2(tokens).is_ok();
    message.starts_with("unexpected end of input")
        || is_read && is_at_end && message.starts_with("expected `")
}

/// What was written before a dot that nothing follows, in groups too.
fn without_last_dots(tokens: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for tree in tokens {
        if matches!(&tree, TokenTree::Punct(punct) if matches!(punct.as_char(), ';' | ',')) {
            pop_dot(&mut kept);
        }
        kept.push(match tree {
            TokenTree::Group(group) => {
                let mut without = Group::new(group.delimiter(), without_last_dots(group.stream()));
                without.set_span(group.span());
                without.into()
            }
            tree => tree,
        });
    }
    pop_dot(&mut kept);
    kept.into_iter().collect()
}

fn pop_dot(trees: &mut Vec<TokenTree>) {
    if matches!(trees.last(), Some(TokenTree::Punct(dot)) if dot.as_char() == '.') {
        trees.pop();
    }
}

/// The token trees from here to there, as they were written.
pub(crate) fn between(mut start: Cursor, end: Cursor) -> TokenStream {
    let mut tokens = TokenStream::new();
    while start < end {
        let Some((tree, next)) = start.token_tree() else {
            break;
        };
        tokens.extend([tree]);
        start = next;
    }
    tokens
}

/// Skips to the comma that ends this argument.
pub(crate) fn rest_of_argument(input: ParseStream) {
    while !(input.is_empty() || input.peek(Token![,])) {
        advance(input);
    }
}

fn advance(input: ParseStream) {
    // Fails at the end only, where there is nothing left to skip.
    let _ = input.step(|cursor| {
        cursor
            .token_tree()
            .map(|(_, next)| ((), next))
            .ok_or_else(|| cursor.error("end"))
    });
}
