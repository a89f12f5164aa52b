//! Tokens to arguments, each with its span.
//!
//! Only the shape is judged here: `key = value`, a bare flag, or the one string that may stand
//! alone. Whether a value makes sense, and whether two keys go together, is for `config`. After a
//! mistake the parser continues after the next comma, so that one build reports them all.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Lit, Token, token};

use crate::keys::{self, Key, Kind};
use crate::literals;
use crate::mistakes::Mistakes;
use crate::value::{Value, rest_of_argument};

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

/// Whether the runtime's path is given, even if there is a mistake in it.
pub(crate) fn mentions_runtime(arguments: &TokenStream) -> bool {
    let mut begins = true;
    arguments.clone().into_iter().any(|tree| {
        let key = match &tree {
            TokenTree::Ident(word) if begins => {
                let word = word.unraw().to_string();
                Key::named(&word).or_else(|| Key::resembling(&word))
            }
            _ => None,
        };
        begins = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ',');
        key.is_some_and(|key| key.kind == Kind::Runtime)
    })
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
        let lone_word = alone
            && first
            && keys::switched_off(&name).is_none()
            && !near.is_some_and(Key::stands_alone);
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
        let off = keys::switched_off(&name).filter(|_| alone);
        match (off, near) {
            (Some(flag), _) => mistakes.at(
                word,
                format_args!("unknown argument `{word}`; write `{} = false`", flag.name),
            ),
            (None, Some(near)) => mistakes.at(
                word,
                format_args!("unknown argument `{word}`; did you mean `{}`?", near.name),
            ),
            (None, None) => mistakes.at(
                word,
                format_args!(
                    "unknown argument `{word}`; expected one of {}",
                    keys::all_names()
                ),
            ),
        }
        if assigned {
            // Only to find the comma that ends it.
            key_and_equals(input).ok()?;
            let _ = Value::parse(input, &mut Mistakes::default());
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
    let value = Value::parse(input, mistakes)?;
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
    let value = Value::parse(input, mistakes)?;
    match value.literal() {
        Some((Lit::Str(string), false)) if first => {
            let key = Key::named("path")?;
            if let Err(message) = literals::lone(string) {
                mistakes.at(&value.tokens, message);
                ends(input, key.name, mistakes);
                return None;
            }
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
        _ => match value.denied() {
            Some(flag) => mistakes.at(
                &value.tokens,
                format_args!("a flag is switched off by its value; write `{flag} = false`"),
            ),
            None => mistakes.at(
                &value.tokens,
                "only a string literal may stand alone; write `path = ...`",
            ),
        },
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

fn next(input: ParseStream) -> Option<TokenTree> {
    input.cursor().token_tree().map(|(tree, _)| tree)
}
