//! Arguments to a checked configuration.
//!
//! What can be known at compile time is refused here, in words that say what to write instead:
//! duplicates, keys that exclude each other, and literals that `Options` would refuse or that mean
//! something else than they seem to. Values that are not literals are left to the compiler, which
//! knows their types.

use std::time::Duration;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, Lit, Path, PathArguments, ReturnType, Stmt, Type};

use crate::args::Argument;
use crate::body;
use crate::keys::{Key, Kind};
use crate::literals;
use crate::mistakes::Mistakes;
use crate::value::Value;

/// What is to be done, with nothing left to check.
pub(crate) struct Config {
    /// Where the runtime is found; `None` for `::pidfile`.
    pub(crate) runtime: Option<TokenStream>,
    /// The setters to call, in the order in which they were written.
    pub(crate) settings: Vec<Setting>,
    pub(crate) on_error: Option<Handler>,
    /// What the guard is called in the body.
    pub(crate) held: Option<Ident>,
    /// The key that makes acquiring last.
    pub(crate) waits: Option<Ident>,
    /// Whether there is an `.await` in a value, so that it has to stay in an async function.
    pub(crate) awaits: bool,
}

/// One call of a setter.
pub(crate) struct Setting {
    /// The user's own token, so that editors lead from it to the setter.
    pub(crate) setter: Ident,
    pub(crate) value: Setter,
}

/// What a setter is called with.
pub(crate) enum Setter {
    True,
    Duration(Duration),
    Expr(TokenStream),
}

/// What to do instead of the body.
pub(crate) enum Handler {
    /// A function that is called by its name.
    Path(TokenStream),
    /// A closure that leaves its result to be inferred.
    Closure(TokenStream),
    /// A closure that says that it never returns.
    Diverging(TokenStream),
    /// Anything else that can be called.
    Other(TokenStream),
    /// There is a mistake, and the program is not going to run.
    Unknown,
}

/// Checks the arguments. What is wrong is noted, and left out of the result.
pub(crate) fn check(arguments: Vec<Argument>, mistakes: &mut Mistakes) -> Config {
    let mut config = Config {
        runtime: None,
        settings: Vec::new(),
        on_error: None,
        held: None,
        waits: None,
        awaits: false,
    };
    let mut given = Vec::new();
    for argument in arguments {
        if set_once(&argument, &mut given, mistakes) {
            config.set(argument, mistakes);
        }
    }
    config
}

/// Whether this argument may be given after those before it. The same question for every key.
fn set_once(argument: &Argument, given: &mut Vec<&'static Key>, mistakes: &mut Mistakes) -> bool {
    let key = argument.key;
    if given.contains(&key) {
        mistakes.at(
            &argument.at,
            format_args!("`{}` is given more than once", key.name),
        );
        return false;
    }
    if let Some(other) = given.iter().find(|other| key.excludes(other)) {
        mistakes.at(
            &argument.at,
            format_args!("`{}` cannot be combined with `{}`", key.name, other.name),
        );
    }
    given.push(key);
    true
}

impl Config {
    fn set(&mut self, argument: Argument, mistakes: &mut Mistakes) {
        let Argument {
            key,
            name: setter,
            value,
            ..
        } = argument;
        if key.kind == Kind::Wait {
            self.waits = Some(setter.clone());
        }
        let Some(value) = value else {
            let value = match key.kind {
                Kind::Wait => Setter::Duration(Duration::MAX),
                _ => Setter::True,
            };
            self.settings.push(Setting { setter, value });
            return;
        };
        self.awaits |= awaits(&value.tokens);
        match key.kind {
            Kind::Handler => self.on_error = handler(&value, mistakes),
            Kind::Runtime => self.runtime = runtime(&value, mistakes),
            Kind::Guard => self.held = guard(&value, mistakes),
            Kind::Text | Kind::Mode | Kind::Id | Kind::Flag | Kind::Wait => {
                let checked = match value.literal() {
                    Some((literal, negative)) => literals::check(key, literal, negative),
                    None => Ok(None),
                };
                let value = match checked {
                    Ok(Some(duration)) => Setter::Duration(duration),
                    Ok(None) => Setter::Expr(without_visible_delimiters(value.tokens)),
                    Err(message) => return mistakes.at(&value.tokens, message),
                };
                self.settings.push(Setting { setter, value });
            }
        }
    }
}

/// Waiting blocks the thread, and an executor with it, unless the pidfile is taken before that starts.
pub(crate) fn check_waiting(config: &Config, mistakes: &mut Mistakes) {
    let Some(key) = &config.waits else {
        return;
    };
    let instead = if key == "replace" {
        "put `#[pidfile]` on the function that starts the executor"
    } else {
        "leave it out and write in the body \
         `let held = loop { match options.acquire() { \
         Err(error) if error.is_running() => sleep(delay).await, \
         result => break result? } };` with the `sleep` of your runtime"
    };
    mistakes.at(
        key,
        format_args!("`{key}` would block the executor of an `async fn`; {instead}"),
    );
}

/// Whether something is awaited in these tokens outside an async block of its own.
fn awaits(tokens: &TokenStream) -> bool {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    trees
        .iter()
        .enumerate()
        .any(|(i, tree)| match (tree, &trees[..i]) {
            (TokenTree::Group(group), before) => {
                !body::ends_in_async(before) && awaits(&group.stream())
            }
            (TokenTree::Ident(word), [.., TokenTree::Punct(dot)]) => {
                word == "await" && dot.as_char() == '.'
            }
            _ => false,
        })
}

fn handler(value: &Value, mistakes: &mut Mistakes) -> Option<Handler> {
    let (tokens, expr) = without_delimiters(value);
    match expr {
        Expr::Path(path) => Some(Handler::Path(path.to_token_stream())),
        Expr::Closure(closure) if matches!(closure.output, ReturnType::Default) => {
            Some(Handler::Closure(tokens))
        }
        Expr::Closure(closure) if matches!(&closure.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_))) => {
            Some(Handler::Diverging(tokens))
        }
        _ if value.literal().is_some() || matches!(expr, Expr::Lit(_)) => {
            mistakes.at(
                &value.tokens,
                "`on_error` takes a function or a closure, such as `|error| ...`",
            );
            None
        }
        _ => Some(Handler::Other(tokens)),
    }
}

/// A handler without the parentheses and braces around it, which are as good as none.
fn without_delimiters(value: &Value) -> (TokenStream, &Expr) {
    let mut tokens = value.tokens.clone();
    let mut expr = &value.expr;
    loop {
        let inner = match expr {
            Expr::Paren(paren) => &*paren.expr,
            Expr::Group(group) => &*group.expr,
            Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => {
                match block.block.stmts.as_slice() {
                    [Stmt::Expr(inner, None)] => inner,
                    _ => return (tokens, expr),
                }
            }
            _ => return (tokens, expr),
        };
        let mut trees = tokens.clone().into_iter();
        if let (Some(TokenTree::Group(group)), None) = (trees.next(), trees.next()) {
            tokens = group.stream();
        }
        expr = inner;
    }
}

fn guard(value: &Value, mistakes: &mut Mistakes) -> Option<Ident> {
    let name = match value.unwrapped() {
        Expr::Path(path) if path.attrs.is_empty() => path.path.get_ident(),
        _ => None,
    };
    // `self`, `Self`, `super` and `crate` are paths, but not names.
    let name = name.filter(|name| syn::parse2::<Ident>(name.to_token_stream()).is_ok());
    if name.is_none() {
        mistakes.at(
            &value.tokens,
            "`held` takes a name for the guard, such as `held = guard`",
        );
    }
    name.cloned()
}

fn runtime(value: &Value, mistakes: &mut Mistakes) -> Option<TokenStream> {
    let parsed;
    let path = match value.unwrapped() {
        Expr::Path(path) if path.qself.is_none() && path.attrs.is_empty() => Some(&path.path),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(string) => {
                parsed = string.parse_with(Path::parse_mod_style);
                parsed.as_ref().ok()
            }
            _ => None,
        },
        _ => None,
    };
    let is_plain = |path: &&Path| {
        path.segments
            .iter()
            .all(|segment| matches!(segment.arguments, PathArguments::None))
    };
    let path = path.filter(is_plain).map(ToTokens::to_token_stream);
    if path.is_none() {
        mistakes.at(
            &value.tokens,
            "`crate` takes a path, such as `crate = ::my_crate::pidfile`",
        );
    }
    path
}

/// A value that is one group becomes the argument of a call, where the compiler would call its
/// parentheses or braces unnecessary; in the attribute they are the author's choice. Giving the
/// delimiters the hygiene of generated code, at the place where they stand, says that.
fn without_visible_delimiters(value: TokenStream) -> TokenStream {
    let mut trees = value.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) => {
            let mut quiet = Group::new(group.delimiter(), group.stream());
            quiet.set_span(Span::mixed_site().located_at(group.span()));
            quiet.into_token_stream()
        }
        _ => value,
    }
}
