//! Configuration to tokens. Only this file and `failure` quote.
//!
//! Nothing can fail here. What is generated has the hygiene of this crate (`mixed_site`): its names
//! mean the same in every edition and are not linted as the user's. What the user wrote keeps its
//! own spans, so that everything the compiler has to say about it is said there.
//!
//! Every path starts at the runtime crate, and no macro, no method of a trait and no name of the
//! prelude is used: all of them may mean something else where the function stands.

use std::time::Duration;

use proc_macro2::{Delimiter, Group, Ident, Literal, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};

use crate::body;
use crate::config::{Config, Setter, Setting};
use crate::entry::{Entry, MARKER};
use crate::failure;
use crate::item::{Function, HeldIn};
use crate::mistakes::{Mistake, Mistakes};
use crate::returns::{self, Returns};
use crate::site::{runtime, site};

/// Holds the pidfile around the body.
///
/// ```text
/// #[pidfile(path = P, chmod = M)]
/// fn f(parameters) -> Ret { BODY }
/// ```
/// becomes
/// ```text
/// fn f(parameters) -> Ret {
///     {
///         let _ = &{
///             match ::pidfile::Options::acquire(&{ { ::pidfile::Options::new().path(P) }.chmod(M) }) {
///                 ::pidfile::__private::Ok(__pidfile_guard) => __pidfile_guard,
///                 ::pidfile::__private::Err(__pidfile_error) => FAILED,
///             }
///         };
///         { BODY }
///     }
/// }
/// ```
/// In a function that returns a future this happens inside that future. In a `main` that may have to
/// wait, the options go through `__private::announce`.
///
/// The body stays in the function that it was written in, so `self`, `impl Trait`, `?`, `.await` and
/// every diagnostic are what they were. It is the last expression of its block and not the arm of a
/// `match`, because rustc forgets there which closure an `impl Fn(&str)` expects.
///
/// The braces around both are ours and so have the edition of this crate, 2024, whatever the user's
/// is: the temporaries of the last expression are dropped before the variables of such a block, and
/// therefore before the pidfile is released. Those around each setter drop the temporaries of its
/// value before the next one is evaluated.
///
/// Nothing has a name that an editor could offer in the body or in a value, unless `held` asks for one:
/// the guard is a temporary that the `let` keeps alive to the end of the block. The options are gone by
/// then, so in a future only the guard lives across an `.await`.
pub(crate) fn wrapped(function: &Function, config: &Config) -> TokenStream {
    let Function {
        attributes,
        signature,
        ..
    } = function;
    let entry_attributes = function.entry.as_ref().map(|entry| &entry.attributes);
    let body = match &function.held_in {
        HeldIn::Body {
            inner_attributes,
            block,
        } => {
            let held = held(block, function, config);
            braced(block, quote_spanned!(site()=> #inner_attributes #held))
        }
        HeldIn::Future(nest) => {
            let typed = typed(function, config);
            let held = held(&nest.block, function, config);
            nest.filled_with(braced(&nest.block, quote_spanned!(site()=> #typed #held)))
        }
    };
    quote_spanned!(site()=> #entry_attributes #attributes #signature #body)
}

/// Leaves the work to the attribute's second pass.
///
/// ```text
/// #[pidfile(ARGUMENTS)] #[tokio::main] async fn main() { BODY }
/// ```
/// becomes
/// ```text
/// #[tokio::main] #[::pidfile::__private::__pidfile_deferred(ARGUMENTS)] async fn main() {
///     ::pidfile::__private::__pidfile_dropped! { "`#[tokio::main]` drops ..." }
///     BODY
/// }
/// ```
/// so that the pidfile is taken by the function that starts the runtime, before it does. Attributes
/// below that one stay below ours. The second pass removes the marker; without it, it is an error.
pub(crate) fn deferred(
    function: &Function,
    entry: &Entry,
    config: &Config,
    arguments: &TokenStream,
) -> TokenStream {
    let Function {
        attributes,
        signature,
        ..
    } = function;
    let Entry {
        attributes: entry_attributes,
        name,
        makes_cases,
    } = entry;

    let (inner_attributes, block) = body::without_inner_attributes(&function.body);
    let contents: TokenStream = body::braces(&block)
        .iter()
        .flat_map(Group::stream)
        .collect();
    let marker = (!makes_cases).then(|| marker(entry_attributes, name, config));
    let body = braced(
        &function.body,
        quote_spanned!(site()=> #inner_attributes #marker #contents),
    );
    let runtime = runtime(config, site());
    quote_spanned!(site()=>
        #entry_attributes
        #[#runtime::__private::__pidfile_deferred(#arguments)]
        #attributes #signature #body
    )
}

/// The error that stands in the body until the second pass.
///
/// It has the user's own span, or the compiler would add that it comes from a macro.
fn marker(entry_attributes: &TokenStream, name: &str, config: &Config) -> TokenStream {
    let here = entry_attributes.clone().into_iter().last();
    let here = here.map_or_else(site, |tree| tree.span());
    let runtime = runtime(config, here);
    let mut message = Literal::string(&format!(
        "`#[{name}]` drops the attributes below it, and with them `#[pidfile]`; \
         put `#[pidfile]` on a function that this one calls"
    ));
    message.set_span(here);
    let mut message = Group::new(Delimiter::Brace, message.into_token_stream());
    message.set_span(here);
    let marker = Ident::new(MARKER, here);
    quote_spanned!(here=> #runtime::__private::#marker! #message)
}

/// Reports all mistakes, and leaves the item as it was, so that nothing else breaks.
///
/// The item comes first, at the place where it is without mistakes: an editor that completes what is
/// being written compares the two.
pub(crate) fn rejected(mistakes: &Mistakes, item: &TokenStream) -> TokenStream {
    let errors = mistakes.iter().map(
        |Mistake {
             start,
             end,
             message,
         }| {
            // All of it has the user's own span, or the compiler would add that the error comes from a
            // macro. So a path would be read in the user's edition, and `::core` is unknown in 2015,
            // `::std` in a crate without it. The name alone is known everywhere.
            let (start, end) = (*start, *end);
            let name = quote_spanned!(start=> compile_error!);
            let mut message = Literal::string(message);
            message.set_span(end);
            let mut group = Group::new(Delimiter::Brace, message.into_token_stream());
            group.set_span(end);
            quote_spanned!(end=> #name #group)
        },
    );
    quote_spanned!(site()=> #item #(#errors)*)
}

/// On a statement or an expression the compiler refuses the attribute by itself, and one error is
/// enough. With the features that allow it there must still be one: a constant that cannot be
/// evaluated, which is looked at only when everything else is right.
///
/// ```text
/// #[pidfile] let x = 1;            const { assert!(false, ..); } let x = 1;
/// #[pidfile] || {}                 { const { assert!(false, ..); } || {} }
/// ```
pub(crate) fn on_code(code: &TokenStream) -> TokenStream {
    let refused = quote_spanned!(site()=>
        const { ::core::assert!(false, "`#[pidfile]` can only be used on a function"); }
    );
    let is_statement = matches!(
        code.clone().into_iter().next(),
        Some(TokenTree::Ident(first)) if first == "let"
    );
    if is_statement {
        quote_spanned!(site()=> #refused #code)
    } else {
        quote_spanned!(site()=> { #refused #code })
    }
}

fn held(block: &TokenTree, function: &Function, config: &Config) -> TokenStream {
    let runtime = runtime(config, site());
    let mut options = quote_spanned!(site()=> #runtime::Options::new());
    for Setting { setter, value } in &config.settings {
        let value = match value {
            Setter::True => quote_spanned!(site()=> true),
            Setter::Duration(Duration::MAX) => {
                quote_spanned!(site()=> #runtime::__private::Duration::MAX)
            }
            Setter::Duration(duration) => {
                let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
                quote_spanned!(site()=> #runtime::__private::Duration::new(#seconds, #nanos))
            }
            Setter::Expr(value) => value.clone(),
        };
        options = quote_spanned!(site()=> { #options.#setter(#value) });
    }
    // A person who has started a program wants to know why nothing happens.
    let may_wait = |setting: &Setting| setting.setter == "wait" || setting.setter == "replace";
    if function.is_main && config.settings.iter().any(may_wait) {
        options = quote_spanned!(site()=> #runtime::__private::announce(#options));
    }
    let failed = failure::failed(function, config);
    // Clippy allows an unused parameter where there is no body yet, and there is one now.
    let unused = &function.unused;
    let guard = quote_spanned!(site()=> {
        #(let _: #runtime::__private::Option<*const #unused>;)*
        match #runtime::Options::acquire(&#options) {
            #runtime::__private::Ok(__pidfile_guard) => __pidfile_guard,
            #runtime::__private::Err(__pidfile_error) => #failed,
        }
    });
    let block = last(block, function);
    let binding = if let Some(name) = &config.held {
        quote_spanned!(site()=> let #name = #guard;)
    } else {
        quote_spanned!(site()=> let _ = &#guard;)
    };
    quote_spanned!(site()=> {
        #binding
        #block
    })
}

/// The body as the last expression of its block.
///
/// A value with a `dyn` in its type is coerced once more on its way out of each block, and rustc says
/// at the outermost one that a lifetime forbids it. That has to stand where the value of the body does.
/// Only a `match` can be said to: its first token and its last have spans of their own.
fn last(block: &TokenTree, function: &Function) -> TokenStream {
    match &function.returns {
        Returns::Named(ret) if returns::contains(ret, &["dyn"]) => {
            let (first, last) = body::last_expression(block);
            let matching = quote_spanned!(site().located_at(first)=> match ());
            let mut arm = Group::new(Delimiter::Brace, quote_spanned!(site()=> () => #block));
            arm.set_span(site().located_at(last));
            quote_spanned!(site()=> #matching #arm)
        }
        _ => body::as_last_expression(block).into_token_stream(),
    }
}

/// Tells an async block what it yields, before anything in it is looked at. A function says so in its
/// signature; without it the type that a mistake in the body suggests would be held against the other
/// arm, ours.
///
/// ```text
/// if let Some(__pidfile_never) = None::<Ret> { return __pidfile_never; }
/// ```
fn typed(function: &Function, config: &Config) -> TokenStream {
    let Returns::Named(ret) = &function.returns else {
        return TokenStream::new();
    };
    let runtime = runtime(config, site());
    quote_spanned!(site()=>
        if let #runtime::__private::Some(__pidfile_never) = #runtime::__private::None::<#ret> {
            return __pidfile_never;
        }
    )
}

/// A block with these contents, where that block was: rustc points at a body by its braces.
fn braced(block: &TokenTree, contents: TokenStream) -> TokenStream {
    let mut group = Group::new(Delimiter::Brace, contents);
    group.set_span(block.span());
    group.into_token_stream()
}
