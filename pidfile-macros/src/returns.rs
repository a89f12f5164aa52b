//! The return type, as far as its tokens tell it.
//!
//! A macro sees no types, only how they are written. That is enough for three questions: whether the
//! function returns at all, whether its type can be written a second time in the body, and whether
//! the function is over before the future or the server that it returns has run.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, ReturnType, Type, TypeParamBound};

/// What a function returns.
pub(crate) enum Returns {
    Nothing,
    Never,
    /// A type that may be written a second time, in the body.
    Named(TokenStream),
    /// A type that may not, so that the body has to tell it: there is an `impl` in it.
    Inferred,
}

impl Returns {
    pub(crate) fn of(output: &ReturnType) -> Returns {
        match output {
            ReturnType::Default => Returns::Nothing,
            ReturnType::Type(_, output) => Returns::of_type(output),
        }
    }

    fn of_type(output: &Type) -> Returns {
        match without_groups(output) {
            Type::Never(_) => Returns::Never,
            _ if cannot_be_repeated(output.to_token_stream()) => Returns::Inferred,
            _ => Returns::Named(output.to_token_stream()),
        }
    }
}

/// The type itself.
pub(crate) fn tokens(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => TokenStream::new(),
        ReturnType::Type(_, output) => output.to_token_stream(),
    }
}

/// A future that a function returns, or something that contains one.
pub(crate) enum Future {
    /// The function may be nothing but the future, and yields this.
    Entered(Returns),
    /// The future comes inside something else.
    Inside,
}

/// The traits of futures, and the usual aliases of a boxed one.
const FUTURES: &[&str] = &[
    "Future",
    "IntoFuture",
    "TryFuture",
    "FusedFuture",
    "BoxFuture",
    "LocalBoxFuture",
];

/// The future in this type, known by its name.
pub(crate) fn of_future(output: &ReturnType) -> Option<Future> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    contains(&ty.to_token_stream(), FUTURES).then(|| match entered(ty) {
        Some(output) => Future::Entered(output),
        None => Future::Inside,
    })
}

/// What it yields, if the type is a future and nothing else: `impl Future`, `Pin<Box<dyn Future>>`,
/// `Box<dyn Future>`, or an alias.
fn entered(ty: &Type) -> Option<Returns> {
    match without_groups(ty) {
        Type::ImplTrait(hidden) => hidden.bounds.iter().find_map(output_of_bound),
        Type::TraitObject(object) => object.bounds.iter().find_map(output_of_bound),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            match last.ident.to_string().as_str() {
                // What stands behind an alias of that name is not known.
                "BoxFuture" | "LocalBoxFuture" => Some(Returns::Inferred),
                "Pin" | "Box" => entered(first_type(&last.arguments)?),
                _ => None,
            }
        }
        _ => None,
    }
}

fn output_of_bound(bound: &TypeParamBound) -> Option<Returns> {
    match bound {
        TypeParamBound::Trait(bound) => output_of_trait(&bound.path),
        _ => None,
    }
}

/// The `T` of `Future<Output = T>`.
fn output_of_trait(path: &Path) -> Option<Returns> {
    let last = path.segments.last()?;
    if !FUTURES.iter().any(|name| last.ident == name) {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Some(Returns::Inferred);
    };
    let output = arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(&assoc.ty),
        _ => None,
    });
    Some(output.map_or(Returns::Inferred, Returns::of_type))
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn without_groups(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Group(group) => &group.elem,
            Type::Paren(paren) => &paren.elem,
            _ => return ty,
        };
    }
}

/// Whether there is an `impl` in these tokens, or a macro that may make one.
fn cannot_be_repeated(ty: TokenStream) -> bool {
    let mut after_word = false;
    let mut trees = ty.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match &tree {
            TokenTree::Ident(ident) if ident == "impl" => return true,
            TokenTree::Group(group) if cannot_be_repeated(group.stream()) => return true,
            TokenTree::Punct(punct) if punct.as_char() == '!' && after_word => {
                return matches!(trees.peek(), Some(TokenTree::Group(_)));
            }
            _ => {}
        }
        after_word = matches!(tree, TokenTree::Ident(_));
    }
    false
}

/// Whether one of these words stands anywhere in a type.
pub(crate) fn contains(ty: &TokenStream, words: &[&str]) -> bool {
    ty.clone().into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
        TokenTree::Group(group) => contains(&group.stream(), words),
        _ => false,
    })
}

/// Whether the type is left to an attribute to fill in, or is a server that has not been launched:
/// `_` or `Rocket<Build>`.
pub(crate) fn is_unlaunched(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else {
        return false;
    };
    match without_groups(ty) {
        Type::Infer(_) => true,
        ty => {
            contains(&ty.to_token_stream(), &["Rocket"])
                && contains(&ty.to_token_stream(), &["Build"])
        }
    }
}
