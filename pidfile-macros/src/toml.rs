//! As much of TOML as it takes to find a key of a manifest, however it is written.
//!
//! Cargo has accepted the manifest before the compiler runs, so nothing is judged here. Escapes in
//! strings are left as they stand: no name that cargo allows needs one.

/// One key of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry<'a> {
    /// The key, after those of all tables that it is in.
    pub(crate) path: Vec<&'a str>,
    /// The string without its quotation marks, or the word. Empty for a table.
    pub(crate) value: &'a str,
}

/// Everything that a manifest says, in order: up to its end, or to what is not TOML.
pub(crate) fn entries(manifest: &str) -> Vec<Entry<'_>> {
    let mut reader = Reader {
        rest: manifest.trim_start_matches('\u{feff}'),
        entries: Vec::new(),
    };
    let _: Option<()> = reader.document();
    reader.entries
}

struct Reader<'a> {
    rest: &'a str,
    entries: Vec<Entry<'a>>,
}

/// Each method reads one thing. `None` means that it is not there.
impl<'a> Reader<'a> {
    fn document(&mut self) -> Option<()> {
        let mut table = Vec::new();
        loop {
            self.skip_blanks();
            if self.rest.is_empty() {
                return Some(());
            }
            if self.eat("[").is_none() {
                self.assignment(&table)?;
                continue;
            }
            // A table, or one of several with the same name.
            let several = self.eat("[").is_some();
            table = self.path()?;
            self.eat(if several { "]]" } else { "]" })?;
            self.entries.push(Entry {
                path: table.clone(),
                value: "",
            });
        }
    }

    fn assignment(&mut self, table: &[&'a str]) -> Option<()> {
        let path = [table, &self.path()?].concat();
        self.eat("=")?;
        self.skip_blanks();
        self.value(&path)
    }

    /// Words with dots between them.
    fn path(&mut self) -> Option<Vec<&'a str>> {
        let mut path = Vec::new();
        loop {
            self.skip_blanks();
            let word = match self.string() {
                Some(string) => string,
                None => self.word(|c| c.is_alphanumeric() || c == '-' || c == '_')?,
            };
            path.push(word);
            self.skip_blanks();
            if self.eat(".").is_none() {
                return Some(path);
            }
        }
    }

    fn value(&mut self, path: &[&'a str]) -> Option<()> {
        let value = if self.eat("{").is_some() {
            self.list("}", |reader| reader.assignment(path))?;
            ""
        } else if self.eat("[").is_some() {
            self.list("]", |reader| reader.value(path))?;
            ""
        } else if let Some(string) = self.string() {
            string
        } else {
            self.word(|c| !c.is_whitespace() && !",]}#\"'".contains(c))?
        };
        self.entries.push(Entry {
            path: path.to_vec(),
            value,
        });
        Some(())
    }

    /// What commas separate, up to the bracket that ends it.
    fn list(&mut self, end: &str, mut element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        loop {
            self.skip_blanks();
            if self.eat(end).is_some() {
                return Some(());
            }
            element(self)?;
            self.skip_blanks();
            if self.eat(",").is_none() {
                return self.eat(end);
            }
        }
    }

    fn string(&mut self) -> Option<&'a str> {
        let quote = ["\"\"\"", "'''", "\"", "'"]
            .into_iter()
            .find(|quote| self.rest.starts_with(quote))?;
        let text = &self.rest[quote.len()..];
        let mut escaped = false;
        let end = text.char_indices().find(|&(at, c)| {
            let ends = !escaped && text[at..].starts_with(quote);
            escaped = !escaped && c == '\\' && quote.starts_with('"');
            ends
        });
        let (end, _) = end?;
        self.rest = &text[end + quote.len()..];
        Some(&text[..end])
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> Option<&'a str> {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn eat(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    /// Blanks, ends of lines, and comments.
    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                return;
            }
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::entries;

    fn read(manifest: &str) -> Vec<String> {
        let entries = entries(manifest);
        let shown = |entry: &super::Entry| format!("{}={}", entry.path.join("/"), entry.value);
        entries.iter().map(shown).collect()
    }

    #[test]
    fn a_key_is_found_however_it_is_written() {
        for (manifest, entries) in [
            ("a = 1", &["a=1"][..]),
            ("a.b.\"c d\" = 'e'", &["a/b/c d=e"]),
            ("[a]\nb = true # c = 2\n", &["a=", "a/b=true"]),
            ("[ a . 'b.c' ]\r\nd=1\r\n", &["a/b.c=", "a/b.c/d=1"]),
            ("[[a]]\nb = 1\n[[a]]\n", &["a=", "a/b=1", "a="]),
            ("a = { b = \"1\", c.d = 2 }", &["a/b=1", "a/c/d=2", "a="]),
            ("a = {}\nb = []", &["a=", "b="]),
            (
                "a = [\n 'x', # ]\n \"]\",\n]\nb = 1",
                &["a=x", "a=]", "a=", "b=1"],
            ),
            ("a = [{ b = 1 }, [2]]", &["a/b=1", "a=", "a=2", "a=", "a="]),
            ("\u{feff}# a = 1\nb = 2", &["b=2"]),
        ] {
            assert_eq!(read(manifest), entries, "{manifest}");
        }
    }

    #[test]
    fn a_key_inside_a_string_does_not_count() {
        for (manifest, entries) in [
            ("a = \"\\\"\\nb = 1\"", &["a=\\\"\\nb = 1"][..]),
            ("a = '\\'\nb = 1", &["a=\\", "b=1"]),
            ("a = \"\\\\\"\nb = 1", &["a=\\\\", "b=1"]),
            (
                "a = \"\"\"\n[b]\nc = \"1\"\n\"\"\"\nd = 2",
                &["a=\n[b]\nc = \"1\"\n", "d=2"],
            ),
            ("a = '''\nb = '1'\n'''", &["a=\nb = '1'\n"]),
            ("a = \"# b\"", &["a=# b"]),
        ] {
            assert_eq!(read(manifest), entries, "{manifest}");
        }
    }

    #[test]
    fn reading_ends_at_what_is_not_toml() {
        for manifest in [
            "a = 1\n=",
            "a = 1\nb",
            "a = 1\n[b",
            "a = 1\nb = \"",
            "a = 1\nb = ",
        ] {
            assert_eq!(read(manifest), ["a=1"], "{manifest}");
        }
        assert_eq!(read("a = [1, 2"), ["a=1", "a=2"]);
        assert_eq!(read("a = { b = 1 c = 2 }\nd = 1"), ["a/b=1"]);
    }
}
