//! Tokens to arguments, each with its span.
//!
//! Only the shape is judged here: `key = value`, a bare flag, or the one string that may stand
//! alone. Whether a value makes sense, and whether two keys go together, is for `config`. After a
//! mistake the parser goes on behind the next comma, so that one build reports them all.
//!
//! Values are parsed, because only Rust's own grammar knows where an expression ends (`f::<A, B>(1)`
//! and `|a, b| a` have commas of their own), but they are kept as the tokens that were written.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::buffer::Cursor;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Lit, Token, token};

use crate::keys::{self, Key};
use crate::mistakes::Mistakes;

/// One argument, as far as its shape goes.
pub(crate) struct Argument {
    pub(crate) key: &'static Key,
    /// The key as it was written. For a string that stands alone, which has none, its setter's name.
    pub(crate) name: Ident,
    /// What to point at when the key is the mistake.
    pub(crate) at: TokenStream,
    /// `None` for a bare flag.
    pub(crate) value: Option<Value>,
}

/// An expression, and the tokens it was written with.
pub(crate) struct Value {
    pub(crate) tokens: TokenStream,
    pub(crate) expr: Expr,
}

impl Value {
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

/// Parses the whole argument list.
pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Argument> {
    let list = |input: ParseStream| {
        let mut arguments = Vec::new();
        let mut first = true;
        while !input.is_empty() {
            arguments.extend(argument(input, first, mistakes));
            first = false;
            // A no-op after a well-formed argument.
            rest_of_argument(input);
            let _: Option<Token![,]> = input.parse()?;
        }
        Ok(arguments)
    };
    match list.parse2(tokens) {
        Ok(arguments) => arguments,
        // The list above consumes every token and never fails; an error here would be the parser's.
        Err(error) => {
            mistakes.syntax(&error);
            Vec::new()
        }
    }
}

fn argument(input: ParseStream, first: bool, mistakes: &mut Mistakes) -> Option<Argument> {
    match word(input) {
        Some(word) => keyed(input, &word, first, mistakes),
        None => lone_expression(input, first, mistakes),
    }
}

/// The word that the argument begins with, if it can be a key.
fn word(input: ParseStream) -> Option<Ident> {
    let ahead = input.fork();
    let word = ahead.call(Ident::parse_any).ok()?;
    let begins_a_value = ["true", "false", "self"].iter().any(|value| word == value);
    (!begins_a_value).then_some(word)
}

fn keyed(
    input: ParseStream,
    word: &Ident,
    first: bool,
    mistakes: &mut Mistakes,
) -> Option<Argument> {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).ok()?;
    let name = word.unraw().to_string();
    let key = Key::named(&name);
    let alone = ahead.is_empty() || ahead.peek(Token![,]);
    let assigned = ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]);
    let meant_to_be = ahead.peek(Token![=]) || ahead.peek(Token![:]) && !ahead.peek(Token![::]);

    let Some(key) = key else {
        let called = ahead.peek(token::Paren);
        let near = Key::resembling(&name);
        let lone_word = alone && first && !near.is_some_and(Key::stands_alone);
        if lone_word {
            mistakes.at(
                word,
                format_args!("unknown argument `{word}`; to pass a value write `path = {word}`"),
            );
            return None;
        }
        if !(alone || meant_to_be || called && near.is_some()) {
            return lone_expression(input, first, mistakes);
        }
        match near {
            Some(near) => mistakes.at(
                word,
                format_args!("unknown argument `{word}`; did you mean `{}`?", near.name),
            ),
            None => mistakes.at(
                word,
                format_args!(
                    "unknown argument `{word}`; expected one of {}",
                    keys::all_names()
                ),
            ),
        }
        if assigned {
            // Only to find the comma that ends it.
            let _ = key_and_equals(input).and_then(|()| value(input));
        }
        return None;
    };

    let example = format!("`{name} = {}`", key.example);
    if alone {
        if key.stands_alone() {
            let name = input.call(Ident::parse_any).ok()?;
            return Some(Argument {
                key,
                at: name.to_token_stream(),
                name,
                value: None,
            });
        }
        mistakes.at(word, format_args!("`{name}` needs a value: {example}"));
        return None;
    }
    if let (true, Some(TokenTree::Group(group))) = (ahead.peek(token::Paren), next(&ahead)) {
        let written = group.stream();
        let mut trees = written.clone().into_iter();
        // Longer values are not repeated: their spacing would not be what was written.
        let suggestion = match (trees.next(), trees.next()) {
            (Some(only), None) => format!("`{name} = {only}`"),
            _ => example,
        };
        mistakes.at(
            word,
            format_args!("`{name}` takes its value after `=`: {suggestion}"),
        );
        return None;
    }
    if !assigned {
        let wrong = if ahead.peek(Token![==]) || ahead.peek(Token![=>]) {
            ahead.cursor().token_stream().into_iter().take(2).collect()
        } else {
            next(&ahead).into_token_stream()
        };
        mistakes.at(wrong, format_args!("expected `=` after `{name}`"));
        return None;
    }
    key_and_equals(input).ok()?;
    if input.is_empty() || input.peek(Token![,]) {
        mistakes.at(word, format_args!("`{name}` needs a value: {example}"));
        return None;
    }
    let value = match value(input) {
        Ok(value) => value,
        Err(error) => {
            mistakes.syntax(&error);
            return None;
        }
    };
    ends(input, &name, mistakes);
    Some(Argument {
        key,
        name: word.clone(),
        at: word.into_token_stream(),
        value: Some(value),
    })
}

/// A value without a key. Only a string may do that, and only in the first place.
fn lone_expression(input: ParseStream, first: bool, mistakes: &mut Mistakes) -> Option<Argument> {
    let value = match value(input) {
        Ok(value) => value,
        Err(error) => {
            mistakes.syntax(&error);
            return None;
        }
    };
    match value.literal() {
        Some((Lit::Str(_), false)) if first => {
            let key = Key::named("path")?;
            let name = Ident::new(key.name, Span::mixed_site());
            let at = value.tokens.clone();
            ends(input, key.name, mistakes);
            return Some(Argument {
                key,
                name,
                at,
                value: Some(value),
            });
        }
        Some((Lit::Str(string), false)) => {
            let message = format!(
                "only the first argument may be a bare string; write `key = {}`",
                string.token()
            );
            mistakes.at(&value.tokens, message);
        }
        _ => mistakes.at(
            &value.tokens,
            "only a string literal may stand alone; write `path = ...`",
        ),
    }
    None
}

/// What follows a value must be a comma, or nothing.
fn ends(input: ParseStream, name: &str, mistakes: &mut Mistakes) {
    if !(input.is_empty() || input.peek(Token![,])) {
        mistakes.at(
            next(input),
            format_args!("expected `,` after the value of `{name}`"),
        );
    }
}

fn key_and_equals(input: ParseStream) -> syn::Result<()> {
    input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    Ok(())
}

fn value(input: ParseStream) -> syn::Result<Value> {
    let start = input.cursor();
    let expr = input.parse()?;
    let tokens = between(start, input.cursor());
    Ok(Value { tokens, expr })
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

fn rest_of_argument(input: ParseStream) {
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

fn next(input: ParseStream) -> Option<TokenTree> {
    input.cursor().token_tree().map(|(tree, _)| tree)
}
