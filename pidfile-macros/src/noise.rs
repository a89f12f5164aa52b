//! Test: token streams without any sense. Whatever the attribute is given, it
//! answers.
//!
//! The compiler hands over what it has parsed, other macros hand over anything.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::{Pass, attribute};

#[test]
fn no_token_stream_makes_it_panic() {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    for _ in 0..5_000 {
        let arguments = random.arguments();
        let item = random.item();
        for pass in [Pass::First, Pass::Deferred] {
            let expanded = attribute(&arguments, &item, pass);
            assert!(
                !expanded.is_empty() || item.is_empty(),
                "{arguments} {item}"
            );
        }
    }
}

/// Xorshift: the same streams in every run, without a dependency.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).expect("it is below a usize")
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[self.below(words.len())]
    }

    /// Something like an argument list, so that the parser gets beyond the first token.
    fn arguments(&mut self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for _ in 0..self.below(5) {
            if self.below(4) > 0 {
                let key = self.pick(&["path", "chmod", "uid", "lock", "on_error", "crate", "pth"]);
                tokens.extend([TokenTree::from(Ident::new(key, Span::call_site()))]);
                tokens.extend([TokenTree::from(Punct::new('=', Spacing::Alone))]);
            }
            tokens.extend(self.noise(3));
            tokens.extend([TokenTree::from(Punct::new(',', Spacing::Alone))]);
        }
        tokens
    }

    /// Something like an item, for the same reason.
    fn item(&mut self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for _ in 0..self.below(3) {
            let part = self.pick(&[
                "#[a::main]",
                "#![a]",
                "pub",
                "pub(crate)",
                "const",
                "unsafe",
                "default",
            ]);
            tokens.extend(part.parse::<TokenStream>());
        }
        let part = self.pick(&[
            "fn f()",
            "async fn main() -> X",
            "fn f<T: A<B>>(self) -> impl Future where T: C",
            "extern \"C\" fn f(...) -> !",
            "struct",
            "extern",
            "",
        ]);
        tokens.extend(part.parse::<TokenStream>());
        tokens.extend(self.noise(2));
        if self.below(2) > 0 {
            let part = self.pick(&[
                "{}",
                "{ #![a] b }",
                "{ async move { c } }",
                "{ Box::pin(async {}) }",
                ";",
            ]);
            tokens.extend(part.parse::<TokenStream>());
        }
        tokens
    }

    /// Tokens without any sense.
    fn noise(&mut self, depth: usize) -> TokenStream {
        (0..self.below(5)).map(|_| self.tree(depth)).collect()
    }

    fn tree(&mut self, depth: usize) -> TokenTree {
        match self.below(if depth == 0 { 4 } else { 5 }) {
            0 => {
                let word = self.pick(&[
                    "path", "self", "crate", "fn", "async", "move", "match", "impl", "true", "x",
                    "_", "extern", "Self", "dyn", "return", "Box", "pin",
                ]);
                Ident::new(word, Span::call_site()).into()
            }
            1 => {
                let chars: Vec<char> = "=<>!-+*/&|^%.,;:#?@~$".chars().collect();
                let spacing = [Spacing::Alone, Spacing::Joint][self.below(2)];
                Punct::new(chars[self.below(chars.len())], spacing).into()
            }
            2 => self
                .pick(&[
                    "\"\"",
                    "\"/x\"",
                    "b\"x\"",
                    "c\"x\"",
                    "'x'",
                    "b'x'",
                    "0",
                    "600",
                    "0o600u64",
                    "0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
                    "0b1",
                    "1.5",
                    "1e999",
                    "5s",
                    "\"x\"suffix",
                    "r#\"/\"#",
                ])
                .parse::<Literal>()
                .map_or_else(
                    |_| Ident::new("x", Span::call_site()).into(),
                    TokenTree::from,
                ),
            3 => Literal::i64_suffixed(-1).into(),
            _ => {
                let delimiters = [
                    Delimiter::Parenthesis,
                    Delimiter::Brace,
                    Delimiter::Bracket,
                    Delimiter::None,
                ];
                let delimiter = delimiters[self.below(4)];
                Group::new(delimiter, self.noise(depth - 1)).into()
            }
        }
    }
}
