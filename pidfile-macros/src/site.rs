//! Where generated code begins: the hygiene of its names, and the path by which it
//! reaches the runtime.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use crate::config::Config;

/// The path of the runtime crate. Where it is ours it begins at that span. Its name always has the
/// same one, so that rustc says once that there is no such crate.
pub(crate) fn runtime(config: &Config, span: Span) -> TokenStream {
    config.runtime.clone().unwrap_or_else(|| {
        let name = Ident::new("pidfile", site());
        quote_spanned!(span=> ::#name)
    })
}

/// The hygiene of all that is generated.
pub(crate) fn site() -> Span {
    Span::mixed_site()
}
