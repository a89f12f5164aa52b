//! What the function does instead of its body when the pidfile was not acquired.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;

use crate::config::{Config, Handler};
use crate::item::Function;
use crate::returns::Returns;
use crate::site::{runtime, site};

/// What happens instead of the body, by what is known of the return type. It leaves the function:
/// by `return`, unless it never comes back. (A `return` of what never comes would be unreachable.)
pub(crate) fn failed(function: &Function, config: &Config) -> TokenStream {
    let site = site();
    let runtime = runtime(config, site);
    if let Some(handler) = &config.on_error {
        return handled(function, config, handler);
    }
    let nothing = quote_spanned!(site=> ());
    let ret = match &function.returns {
        Returns::Nothing => nothing,
        Returns::Named(ret) => inferred(ret),
        Returns::Never => {
            let helper = if function.is_main { "exit" } else { "panic" };
            let helper = Ident::new(helper, site);
            return quote_spanned!(site=> #runtime::__private::#helper(__pidfile_error));
        }
        Returns::Inferred => {
            let helper = if function.is_main {
                "fail_in_main"
            } else {
                "fail"
            };
            let helper = Ident::new(helper, site);
            return quote_spanned!(site=> return #runtime::__private::#helper(__pidfile_error));
        }
    };
    let method = if function.is_main {
        "from_acquire_error_in_main"
    } else {
        "from_acquire_error"
    };
    let method = Ident::new(method, site);
    quote_spanned!(site=> return <#ret as #runtime::FromAcquireError>::#method(__pidfile_error))
}

/// Asks the handler.
fn handled(function: &Function, config: &Config, handler: &Handler) -> TokenStream {
    let tokens = match handler {
        Handler::Path(tokens)
        | Handler::Closure(tokens)
        | Handler::Diverging(tokens)
        | Handler::Other(tokens) => tokens,
        Handler::Unknown => {
            let runtime = runtime(config, site());
            return quote_spanned!(site()=> #runtime::__private::panic(__pidfile_error));
        }
    };
    let here = site_of(tokens);
    let runtime = runtime(config, here);
    let called = match handler {
        // A call and not the function itself, so that one may be given that never returns.
        Handler::Path(path) => {
            let call = called(path);
            quote_spanned!(here=> |__pidfile_error| #call)
        }
        _ => tokens.clone(),
    };
    if matches!(handler, Handler::Diverging(_)) || matches!(function.returns, Returns::Never) {
        return quote_spanned!(here=>
            #runtime::__private::on_error_diverging(__pidfile_error, #called)
        );
    }
    // The type of a closure's result is told beforehand where that is possible, so that what is
    // wrong with it is reported inside the closure.
    let turbofish = match (handler, &function.returns) {
        (Handler::Path(_) | Handler::Closure(_), Returns::Nothing) => {
            quote_spanned!(here=> ::<(), _>)
        }
        (Handler::Path(_) | Handler::Closure(_), Returns::Named(ret)) => {
            quote_spanned!(here=> ::<#ret, _>)
        }
        _ => TokenStream::new(),
    };
    quote_spanned!(here=>
        return #runtime::__private::on_error #turbofish (__pidfile_error, #called)
    )
}

/// The return type, for rustc to fill in. It stands where the type does, and is not a copy of it: what
/// lints say about a type they would say twice.
fn inferred(ret: &TokenStream) -> TokenStream {
    let here = ret.clone().into_iter().next();
    let here = here.map_or_else(site, |tree| tree.span());
    quote_spanned!(here=> _)
}

/// Calls a handler by its name.
fn called(path: &TokenStream) -> TokenStream {
    let here = site_of(path);
    let mut argument = Group::new(
        Delimiter::Parenthesis,
        quote_spanned!(here=> __pidfile_error),
    );
    // The call as a whole is the user's: it ends where the handler does.
    argument.set_span(
        path.clone()
            .into_iter()
            .last()
            .map_or(here, |tree| tree.span()),
    );
    quote_spanned!(here=> #path #argument)
}

/// The same hygiene at the place of the last of these tokens. What is wrong with a handler is
/// reported on the call of it, which therefore has to stand there, on one line with the handler.
fn site_of(tokens: &TokenStream) -> Span {
    let last = tokens.clone().into_iter().last();
    last.map_or_else(site, |tree: TokenTree| site().located_at(tree.span()))
}
