//! The body, which is never parsed: what does not compile in it is for the compiler to say.
//!
//! Three things are found among its tokens: the inner attributes, which have to stay at the beginning
//! of the function; where its value comes from; and in a function that returns a future, the async
//! block that is the whole of it. Such a function is over before its future runs, so the pidfile has
//! to be taken inside the future, and that is possible only if nothing else is in the body: what
//! `#[async_trait]` leaves behind, and what people write by hand.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A block that stands alone at the end of its function, and everything around it.
pub(crate) struct Nest {
    pub(crate) block: TokenTree,
    /// From the inside out.
    around: Vec<Layer>,
}

/// The group that something stands in, and its neighbours there.
struct Layer {
    before: TokenStream,
    after: TokenStream,
    delimiter: Delimiter,
    span: Span,
}

impl Nest {
    /// Finds the async block that is all of this body.
    ///
    /// ```text
    /// { async move { BLOCK } }    { Box::pin(async move { BLOCK }) }    { async move { BLOCK }.boxed() }
    /// ```
    pub(crate) fn find(body: &TokenTree) -> Option<Nest> {
        let TokenTree::Group(group) = body else {
            return None;
        };
        let trees: Vec<TokenTree> = group.stream().into_iter().collect();
        let start = match group.delimiter() {
            Delimiter::Brace => count_inner_attributes(&trees),
            _ => 0,
        };
        let end = match trees.last() {
            Some(TokenTree::Punct(comma))
                if comma.as_char() == ',' && group.delimiter() == Delimiter::Parenthesis =>
            {
                trees.len() - 1
            }
            _ => trees.len() - boxed(&trees),
        };
        let (last, before) = trees.get(start..end)?.split_last()?;
        let mut nest = match last {
            block if is_async(before) && braces(block).is_some() => Nest {
                block: block.clone(),
                around: Vec::new(),
            },
            TokenTree::Group(inner) => {
                let invisible = [inner.delimiter(), group.delimiter()].contains(&Delimiter::None);
                let in_parentheses = inner.delimiter() == Delimiter::Parenthesis;
                let called = in_parentheses && is_boxing(before);
                if !(called || (in_parentheses || invisible) && before.is_empty()) {
                    return None;
                }
                Nest::find(last)?
            }
            _ => return None,
        };
        nest.around.push(Layer {
            before: trees[..end - 1].iter().cloned().collect(),
            after: trees[end..].iter().cloned().collect(),
            delimiter: group.delimiter(),
            span: group.span(),
        });
        Some(nest)
    }

    /// Puts the replacement for the block in its place.
    pub(crate) fn filled_with(&self, block: TokenStream) -> TokenStream {
        self.around.iter().fold(block, |inside, layer| {
            let mut stream = layer.before.clone();
            stream.extend(inside);
            stream.extend(layer.after.clone());
            let mut group = Group::new(layer.delimiter, stream);
            group.set_span(layer.span);
            group.into_token_stream()
        })
    }
}

/// `async` or `async move`, attributes before it allowed.
fn is_async(trees: &[TokenTree]) -> bool {
    let is = |tree: &TokenTree, word| matches!(tree, TokenTree::Ident(ident) if ident == word);
    match trees {
        [TokenTree::Punct(pound), TokenTree::Group(_), rest @ ..] if pound.as_char() == '#' => {
            is_async(rest)
        }
        [only] => is(only, "async"),
        [first, second] => is(first, "async") && is(second, "move"),
        _ => false,
    }
}

/// Whether a block after these tokens is an async one.
pub(crate) fn ends_in_async(trees: &[TokenTree]) -> bool {
    let is = |tree: &TokenTree, word| matches!(tree, TokenTree::Ident(ident) if ident == word);
    match trees {
        [.., first, second] if is(second, "move") => is(first, "async"),
        [.., last] => is(last, "async"),
        [] => false,
    }
}

/// A path to what boxes a future, and nothing before it.
fn is_boxing(trees: &[TokenTree]) -> bool {
    let is_path = trees.iter().all(|tree| match tree {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    let path: String = trees.iter().map(ToString::to_string).collect();
    let path = path.trim_start_matches(':');
    is_path
        && [
            "Box::pin",
            "Box::new",
            "FutureExt::boxed",
            "FutureExt::boxed_local",
        ]
        .iter()
        .any(|boxing| path == *boxing || path.ends_with(&format!("::{boxing}")))
}

/// How many trees at the end are `.boxed()` or `.boxed_local()`.
fn boxed(trees: &[TokenTree]) -> usize {
    match trees {
        [
            ..,
            TokenTree::Punct(dot),
            TokenTree::Ident(method),
            TokenTree::Group(nothing),
        ] if dot.as_char() == '.'
            && (method == "boxed" || method == "boxed_local")
            && nothing.stream().is_empty() =>
        {
            3
        }
        _ => 0,
    }
}

/// The braces that this is, through groups without delimiters.
pub(crate) fn braces(tree: &TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else {
        return None;
    };
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => {
            let mut trees = group.stream().into_iter();
            match (trees.next(), trees.next()) {
                (Some(inner), None) => braces(&inner),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Parts the inner attributes from the rest of a block. Without any the block stays as it was
/// written.
pub(crate) fn without_inner_attributes(block: &TokenTree) -> (TokenStream, TokenTree) {
    let group = braces(block);
    let trees: Vec<TokenTree> = group.iter().flat_map(Group::stream).collect();
    let (inner, rest) = trees.split_at(count_inner_attributes(&trees));
    let block = match group {
        Some(group) if !inner.is_empty() => {
            let mut block = Group::new(Delimiter::Brace, rest.iter().cloned().collect());
            block.set_span(group.span());
            block.into()
        }
        _ => block.clone(),
    };
    (inner.iter().cloned().collect(), block)
}

/// How many trees at the beginning belong to inner attributes.
fn count_inner_attributes(trees: &[TokenTree]) -> usize {
    let is =
        |tree: &TokenTree, char| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == char);
    let mut count = 0;
    while let [pound, bang, TokenTree::Group(group), ..] = &trees[count..] {
        if !(is(pound, '#') && is(bang, '!') && group.delimiter() == Delimiter::Bracket) {
            break;
        }
        count += 3;
    }
    count
}

/// The body as the last expression of a block.
///
/// rustc calls the braces around a lone expression unnecessary there, unless they are generated. They
/// cannot always be: braces carry an edition, which decides when the temporaries of the last
/// expression are dropped, before the variables of the block or after them. A body without a semicolon
/// has no variables, so there the edition does not matter.
pub(crate) fn as_last_expression(block: &TokenTree) -> TokenTree {
    let Some(group) = braces(block) else {
        return block.clone();
    };
    let is_semicolon =
        |tree: TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
    if group.stream().is_empty() || group.stream().into_iter().any(is_semicolon) {
        return block.clone();
    }
    let mut quiet = Group::new(Delimiter::Brace, group.stream());
    quiet.set_span(Span::mixed_site().located_at(group.span()));
    quiet.into()
}

/// Where the value of a block begins and ends: what stands behind its last semicolon. Good enough
/// to show where to look.
pub(crate) fn last_expression(block: &TokenTree) -> (Span, Span) {
    let trees: Vec<TokenTree> = braces(block).iter().flat_map(Group::stream).collect();
    let is_semicolon =
        |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
    match trees.rsplit(is_semicolon).next().unwrap_or_default() {
        [] => (block.span(), block.span()),
        [first, .., last] => (first.span(), last.span()),
        [only] => (only.span(), only.span()),
    }
}
