//! The annotated function, and which functions we take.
//!
//! Attributes, visibility and signature are parsed to learn what we need to know about them; what is
//! emitted later are the tokens as they were written.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Signature, Token, Visibility};

use crate::body::{self, Nest};
use crate::entry::{self, Entry};
use crate::mistakes::Mistakes;
use crate::returns::{self, Future, Returns};
use crate::value::between;

/// A function that can hold a pidfile.
pub(crate) struct Function {
    /// The attributes up to the last one that is going to make another function of this one.
    pub(crate) entry: Option<Entry>,
    /// The attributes after those.
    pub(crate) attributes: TokenStream,
    /// Everything between the attributes and the body.
    pub(crate) signature: TokenStream,
    /// The body as it was written: braces, perhaps in groups without delimiters.
    pub(crate) body: TokenTree,
    pub(crate) held_in: HeldIn,
    /// `async`, or what else says that the body runs in an executor.
    pub(crate) is_async: bool,
    /// What comes out of the part that the pidfile is held in.
    pub(crate) returns: Returns,
    pub(crate) is_main: bool,
    /// The type parameters, if there is nothing in the body that could use them.
    pub(crate) unused: Vec<Ident>,
}

/// Which part of the body the pidfile is held in.
pub(crate) enum HeldIn {
    /// All of it, except that `#![..]` has to stay at the beginning of the function.
    Body {
        inner_attributes: TokenStream,
        block: TokenTree,
    },
    /// The future that it makes.
    Future(Nest),
}

/// What the attribute stands on.
pub(crate) enum Item {
    Function(Box<Function>),
    /// Not a function that can hold a pidfile; the mistake is noted.
    Refused,
    /// A statement or an expression, where the compiler itself refuses the attribute.
    Code,
}

/// What the item is, as far as that can be told before its name.
enum Kind {
    Function,
    Other { keyword: TokenStream, name: String },
    Code,
}

/// Finds out what the attribute stands on.
pub(crate) fn parse(item: TokenStream, mistakes: &mut Mistakes) -> Item {
    let mut found = Item::Refused;
    let parser = |input: ParseStream| {
        found = function(input, mistakes)?;
        // The body, or what follows the keyword of another item: it is not ours to read.
        input.parse::<TokenStream>().map(drop)
    };
    if let Err(error) = parser.parse2(seen_through(item)) {
        mistakes.syntax(&error);
        return Item::Refused;
    }
    found
}

fn function(input: ParseStream, mistakes: &mut Mistakes) -> syn::Result<Item> {
    let start = input.cursor();
    let parsed_attributes = input.call(Attribute::parse_outer)?;
    let attribute_tokens = between(start, input.cursor());

    let start = input.cursor();
    let _: Visibility = input.parse()?;
    match kind(input)? {
        Kind::Function => {}
        Kind::Other { keyword, name } => {
            mistakes.at(
                keyword,
                format_args!("`#[pidfile]` cannot be used on {name}, only on a function"),
            );
            return Ok(Item::Refused);
        }
        Kind::Code => return Ok(Item::Code),
    }
    while input.peek(Token![default]) || is_word(input, "safe") {
        input.call(Ident::parse_any)?;
    }
    let signature: Signature = input.parse()?;
    let body_cursor = input.cursor();
    let signature_tokens = between(start, body_cursor);

    let name = &signature.ident;
    let body = body_cursor.token_tree().map(|(tree, _)| tree);
    let Some(body) = body.filter(|tree| body::braces(tree).is_some()) else {
        mistakes.at(
            name,
            format_args!(
                "`#[pidfile]` needs a function body; put it on an implementation of `{name}`"
            ),
        );
        return Ok(Item::Refused);
    };
    if let Some(constness) = &signature.constness {
        mistakes.at(constness, "`#[pidfile]` cannot be used on a `const fn`");
        return Ok(Item::Refused);
    }

    // A method of that name is not where a program begins.
    let is_main = name.unraw() == "main" && signature.receiver().is_none();
    if let Some(launch) = entry::launch(&parsed_attributes, &signature.output) {
        mistakes.at(
            launch,
            "`#[pidfile]` would be released before this server is launched; \
             use `#[rocket::main]` with an `async fn main` that launches it",
        );
        return Ok(Item::Refused);
    }
    let (mut entry, mut attributes) = (None, attribute_tokens);
    if signature.asyncness.is_some() {
        (entry, attributes) = entry::split(attributes, &parsed_attributes, is_main);
    }
    let mut nest = None;
    if let Some(future) = returns::of_future(&signature.output) {
        let is_async = signature.asyncness.is_some();
        let entered = match future {
            Future::Entered(output) if !is_async => Nest::find(&body).map(|nest| (nest, output)),
            _ => None,
        };
        if entered.is_none() {
            let instead = if is_async {
                "the future that this returns runs; await it here"
            } else {
                "this future runs; use an `async fn`, \
                 or a body that is only `Box::pin(async move { ... })`"
            };
            let message = format!("`#[pidfile]` would be released before {instead}");
            mistakes.at(returns::tokens(&signature.output), message);
            return Ok(Item::Refused);
        }
        nest = entered;
    }
    let is_async = signature.asyncness.is_some() || nest.is_some();
    let (held_in, returns) = if let Some((nest, output)) = nest {
        (HeldIn::Future(nest), output)
    } else {
        let (inner_attributes, block) = body::without_inner_attributes(&body);
        let held_in = HeldIn::Body {
            inner_attributes,
            block,
        };
        (held_in, Returns::of(&signature.output))
    };
    let is_empty = body::braces(&body).is_some_and(|body| body.stream().is_empty());
    let parameters = signature.generics.type_params();
    let unused = parameters
        .filter(|_| is_empty)
        .map(|parameter| parameter.ident.clone());
    let unused = unused.collect();
    Ok(Item::Function(Box::new(Function {
        entry,
        attributes,
        signature: signature_tokens,
        body,
        held_in,
        is_async,
        returns,
        is_main,
        unused,
    })))
}

/// Looks ahead to the keyword that says what the item is.
fn kind(input: ParseStream) -> syn::Result<Kind> {
    let ahead = input.fork();
    loop {
        if ahead.peek(Token![fn]) {
            return Ok(Kind::Function);
        }
        let is_modifier = ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![default]) && !ahead.peek2(Token![!])
            || ["safe", "auto", "gen"]
                .iter()
                .any(|word| is_word(&ahead, word))
                && !ahead.peek2(Token![!])
            || ahead.peek(Token![const])
                && (ahead.peek2(Token![fn])
                    || ahead.peek2(Token![async])
                    || ahead.peek2(Token![unsafe])
                    || ahead.peek2(Token![extern]));
        if is_modifier {
            ahead.call(Ident::parse_any)?;
            continue;
        }
        let keyword = ahead
            .cursor()
            .token_tree()
            .map(|(tree, _)| tree)
            .into_token_stream();
        if ahead.peek(Token![extern]) {
            ahead.parse::<Token![extern]>()?;
            if ahead.peek(Token![crate]) {
                return Ok(Kind::Other {
                    keyword,
                    name: "an `extern crate`".into(),
                });
            }
            ahead.parse::<Option<syn::LitStr>>()?;
            if ahead.peek(Token![fn]) {
                return Ok(Kind::Function);
            }
            return Ok(Kind::Other {
                keyword,
                name: "an `extern` block".into(),
            });
        }
        let called = ahead.peek2(Token![!]);
        return Ok(match name_of_kind(&keyword.to_string(), called) {
            Some(name) => Kind::Other { keyword, name },
            None => Kind::Code,
        });
    }
}

fn name_of_kind(keyword: &str, called: bool) -> Option<String> {
    Some(match keyword {
        "macro_rules" => "a `macro_rules!`".into(),
        _ if called => "a macro call".into(),
        "enum" | "impl" => format!("an `{keyword}`"),
        "const" | "macro" | "mod" | "static" | "struct" | "trait" | "type" | "union" | "use" => {
            format!("a `{keyword}`")
        }
        _ => return None,
    })
}

fn is_word(input: ParseStream, word: &str) -> bool {
    input
        .cursor()
        .ident()
        .is_some_and(|(ident, _)| ident == word)
}

/// The tokens in a group without delimiters, such as a macro leaves around `$item:item`.
fn seen_through(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            seen_through(group.stream())
        }
        _ => tokens,
    }
}
