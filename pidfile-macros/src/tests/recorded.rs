//! The programs of `ui-tests`, without a compiler: every use of the attribute there is expanded here.
//! Those in `fail` must give the messages on record. It takes a moment where `ui-tests` takes minutes,
//! and knows nothing of places, nor of what rustc itself has to say.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use super::squeezed;
use crate::{Pass, attribute};

#[test]
fn the_messages_are_those_on_record() {
    let mut compared = 0;
    for (path, source) in sources("fail") {
        let record = fs::read_to_string(path.with_extension("stderr")).expect("it is on record");
        let expected = recorded(&record);
        let mut found = Vec::new();
        for used in uses(&source) {
            found.extend(compile_errors(used.expanded(Pass::First)));
        }
        found.sort();
        assert_eq!(found, expected, "{}", path.display());
        compared += expected.len();
    }
    assert!(compared > 100 || !is_in_workspace(), "{compared} messages");
}

#[test]
fn what_is_legal_is_expanded_without_a_message() {
    let mut expanded = 0;
    for (path, source) in sources("pass").into_iter().chain(sources("same")) {
        // What is cut out is not looked at.
        let there = |used: &Use| !squeezed(&used.item).contains("cfg(any())");
        for used in uses(&source).into_iter().filter(there) {
            for pass in [Pass::First, Pass::Deferred] {
                let tokens = used.expanded(pass);
                let errors = compile_errors(tokens.clone());
                assert_eq!(errors, [""; 0], "{}", path.display());
                let text = tokens.to_string();
                let is_deferred = text.contains("__pidfile_deferred");
                let is_held = text.contains("__pidfile_error");
                assert!(is_held != is_deferred, "{}: {text}", path.display());
                assert!(is_held || pass == Pass::First, "{}: {text}", path.display());
                expanded += 1;
            }
        }
    }
    assert!(expanded > 100 || !is_in_workspace(), "{expanded} uses");
}

/// The package alone has no programs.
fn is_in_workspace() -> bool {
    let there = folder("fail").is_dir();
    if !there {
        eprintln!("skipped: the programs of ui-tests are not part of this package");
    }
    there
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../ui-tests")
        .join(name)
}

/// The programs in a folder of `ui-tests`, but for those where another macro hands our attribute on,
/// which only rustc can do.
fn sources(name: &str) -> Vec<(PathBuf, String)> {
    if !is_in_workspace() {
        return Vec::new();
    }
    let entries = fs::read_dir(folder(name)).expect("it is a folder");
    let paths = entries.map(|entry| entry.expect("it can be listed").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let source = fs::read_to_string(&path).expect("it can be read");
            (path, source)
        })
        .filter(|(path, source)| {
            !source.contains("macro_rules!") && !path.to_string_lossy().contains("entry_drops")
        })
        .collect()
}

/// The errors of ours among those that rustc has printed.
fn recorded(text: &str) -> Vec<String> {
    let errors = text.lines().filter_map(|line| line.strip_prefix("error: "));
    let mut errors: Vec<String> = errors.map(Into::into).collect();
    errors.sort();
    errors
}

/// A use of the attribute.
struct Use {
    arguments: TokenStream,
    /// The item with its other attributes.
    item: TokenStream,
}

impl Use {
    fn expanded(&self, pass: Pass) -> TokenStream {
        attribute(&self.arguments, &self.item, pass)
    }
}

/// Every `#[pidfile(..)] item`, at any depth.
fn uses(source: &str) -> Vec<Use> {
    let mut found = Vec::new();
    find(source.parse().expect("tokens"), &mut found);
    found
}

fn find(tokens: TokenStream, found: &mut Vec<Use>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let is_punct = |tree: Option<&TokenTree>, char| matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == char);
    // Where the item begins, with its other attributes.
    let mut begin = 0;
    for (at, tree) in trees.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| trees.get(at));
        if let (TokenTree::Group(group), Some(before)) = (tree, before) {
            let arguments = is_punct(Some(before), '#').then(|| arguments(group));
            if let Some(arguments) = arguments.flatten() {
                let mut item: TokenStream = trees[begin..at - 1].iter().cloned().collect();
                item.extend(rest_of_item(&trees[at + 1..]).iter().cloned());
                found.push(Use { arguments, item });
            }
        }
        if let TokenTree::Group(group) = tree {
            find(group.stream(), found);
        }
        // An inner attribute belongs to what is around it.
        let is_inner = matches!(tree, TokenTree::Group(_)) && is_punct(before, '!');
        if is_inner || is_end(tree) {
            begin = at + 1;
        }
    }
}

/// What stands in `[pidfile(..)]` or `[pidfile::pidfile(..)]`, if this is one of them.
fn arguments(group: &Group) -> Option<TokenStream> {
    let trees: Vec<TokenTree> = group.stream().into_iter().collect();
    let is_ours = |tree: Option<&TokenTree>| tree.is_some_and(|tree| tree.to_string() == "pidfile");
    let path = trees
        .iter()
        .take_while(|tree| !matches!(tree, TokenTree::Group(_)))
        .count();
    if !is_ours(trees.first()) || !is_ours(trees.get(path.checked_sub(1)?)) {
        return None;
    }
    match trees.get(path) {
        Some(TokenTree::Group(group)) => Some(group.stream()),
        _ => Some(TokenStream::new()),
    }
}

/// Up to its body, or the semicolon.
fn rest_of_item(trees: &[TokenTree]) -> &[TokenTree] {
    let end = trees
        .iter()
        .position(is_end)
        .map_or(trees.len(), |at| at + 1);
    &trees[..end]
}

fn is_end(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        TokenTree::Punct(punct) => punct.as_char() == ';',
        _ => false,
    }
}

/// Every `compile_error! { ".." }` that the attribute has written.
fn compile_errors(expanded: TokenStream) -> Vec<String> {
    let trees: Vec<TokenTree> = expanded.into_iter().collect();
    let errors = trees.windows(3).filter_map(|three| match three {
        [TokenTree::Ident(name), _, TokenTree::Group(group)] if name == "compile_error" => {
            let message: syn::LitStr = syn::parse2(group.stream()).expect("a string");
            Some(message.value())
        }
        _ => None,
    });
    errors.collect()
}
