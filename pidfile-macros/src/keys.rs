//! The attribute's vocabulary: which arguments there are, what each takes, and what else people
//! call them.

/// What an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A string: a path or a name.
    Text,
    /// Permission bits, in octal where they are a literal.
    Mode,
    /// A user or group id.
    Id,
    /// `true` or `false`; `true` when it stands alone.
    Flag,
    /// A duration, with its unit where it is a literal; no end when it stands alone.
    Wait,
    /// What to do when the pidfile was not acquired.
    Handler,
    /// A name for the guard in the body.
    Guard,
    /// Where the runtime crate is found.
    Runtime,
}

/// One argument of the attribute. Except for `held`, `on_error` and `crate`, it is the setter of that name
/// on the runtime's `Options`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// A value as it may be written, for messages.
    pub(crate) example: &'static str,
    /// Arguments that may not be given together with this one.
    excludes: &'static [&'static str],
    /// Other words for it; among them the names in Python's `pid`.
    synonyms: &'static [&'static str],
}

/// Every key, in the order in which messages list them.
static KEYS: [Key; 20] = [
    Key {
        name: "path",
        kind: Kind::Text,
        example: "\"/run/app.pid\"",
        excludes: &["name", "dir", "temp_dir"],
        synonyms: &["file", "filename", "pidfile"],
    },
    Key {
        name: "name",
        kind: Kind::Text,
        example: "\"app\"",
        excludes: &["path"],
        synonyms: &["pidname"],
    },
    Key {
        name: "dir",
        kind: Kind::Text,
        example: "\"/run/app\"",
        excludes: &["path", "temp_dir"],
        synonyms: &["directory", "piddir"],
    },
    Key {
        name: "chmod",
        kind: Kind::Mode,
        example: "0o644",
        excludes: &[],
        synonyms: &["mode", "perm", "perms", "permissions"],
    },
    Key {
        name: "uid",
        kind: Kind::Id,
        example: "33",
        excludes: &["owner"],
        synonyms: &[],
    },
    Key {
        name: "gid",
        kind: Kind::Id,
        example: "33",
        excludes: &["group"],
        synonyms: &[],
    },
    Key {
        name: "owner",
        kind: Kind::Text,
        example: "\"daemon\"",
        excludes: &["uid"],
        synonyms: &["user", "chown"],
    },
    Key {
        name: "group",
        kind: Kind::Text,
        example: "\"daemon\"",
        excludes: &["gid"],
        synonyms: &[],
    },
    Key {
        name: "lock",
        kind: Kind::Flag,
        example: "true",
        excludes: &[],
        synonyms: &["flock", "lock_pidfile"],
    },
    Key {
        name: "signals",
        kind: Kind::Flag,
        example: "true",
        excludes: &[],
        synonyms: &["signal", "register_term_signal_handler"],
    },
    Key {
        name: "at_exit",
        kind: Kind::Flag,
        example: "true",
        excludes: &[],
        synonyms: &["atexit", "register_atexit"],
    },
    Key {
        name: "allow_same_process",
        kind: Kind::Flag,
        example: "true",
        excludes: &[],
        synonyms: &["reentrant", "allow_samepid"],
    },
    Key {
        name: "temp_dir",
        kind: Kind::Flag,
        example: "true",
        excludes: &["path", "dir"],
        synonyms: &["force_tmpdir"],
    },
    Key {
        name: "dot_pid",
        kind: Kind::Flag,
        example: "true",
        excludes: &[],
        synonyms: &["enforce_dotpid_postfix"],
    },
    Key {
        name: "refuse_live",
        kind: Kind::Flag,
        example: "true",
        excludes: &[],
        synonyms: &[],
    },
    Key {
        name: "wait",
        kind: Kind::Wait,
        example: "\"5s\"",
        excludes: &["replace"],
        synonyms: &["timeout", "block"],
    },
    Key {
        name: "replace",
        kind: Kind::Wait,
        example: "\"10s\"",
        excludes: &["wait"],
        synonyms: &["takeover", "take_over"],
    },
    Key {
        name: "held",
        kind: Kind::Guard,
        example: "guard",
        excludes: &[],
        synonyms: &["guard", "binding"],
    },
    Key {
        name: "on_error",
        kind: Kind::Handler,
        example: "|error| ...",
        excludes: &[],
        synonyms: &["error", "on_err"],
    },
    Key {
        name: "crate",
        kind: Kind::Runtime,
        example: "::my_crate::pidfile",
        excludes: &[],
        synonyms: &["krate"],
    },
];

impl Key {
    /// The key of exactly this name.
    pub(crate) fn named(name: &str) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.name == name)
    }

    /// The key that was probably meant: one that has this word as a synonym, else the nearest one
    /// that two edits reach.
    pub(crate) fn resembling(word: &str) -> Option<&'static Key> {
        if let Some(key) = KEYS.iter().find(|key| key.synonyms.contains(&word)) {
            return Some(key);
        }
        KEYS.iter()
            .map(|key| (edits(word, key.name), key))
            .filter(|(edits, _)| *edits <= 2)
            .min_by_key(|(edits, _)| *edits)
            .map(|(_, key)| key)
    }

    /// Whether the key may stand without a value.
    pub(crate) fn stands_alone(&self) -> bool {
        // How long to wait for one that has been told to leave has to be said.
        self.kind == Kind::Flag || self.name == "wait"
    }

    pub(crate) fn excludes(&self, other: &Key) -> bool {
        self.excludes.contains(&other.name)
    }
}

/// The flag that a word such as `no_lock` is meant to switch off.
pub(crate) fn switched_off(word: &str) -> Option<&'static Key> {
    let flag = ["no_", "not_", "without_", "disable_", "no"]
        .iter()
        .find_map(|prefix| Key::named(word.strip_prefix(prefix)?))?;
    (flag.kind == Kind::Flag).then_some(flag)
}

/// The names of all keys, as a message lists them.
pub(crate) fn all_names() -> String {
    KEYS.iter()
        .map(|key| format!("`{}`", key.name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many characters must be inserted, removed or replaced to turn one word into the other.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::{KEYS, Key, edits};

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in [
            ("path", "path", 0),
            ("", "path", 4),
            ("pth", "path", 1),
            ("wiat", "wait", 2),
            ("chmd", "chmod", 1),
            ("colour", "lock", 4),
        ] {
            assert_eq!(edits(from, to), expected, "{from} -> {to}");
            assert_eq!(edits(to, from), expected, "{to} -> {from}");
        }
    }

    #[test]
    fn near_misses_and_synonyms_lead_to_the_key() {
        for (word, key) in [
            ("pth", "path"),
            ("file", "path"),
            ("mode", "chmod"),
            ("user", "owner"),
            ("block", "wait"),
            ("wiat", "wait"),
            ("register_term_signal_handler", "signals"),
            ("krate", "crate"),
        ] {
            assert_eq!(
                Key::resembling(word).map(|key| key.name),
                Some(key),
                "{word}"
            );
        }
        assert_eq!(Key::resembling("colour"), None);
    }

    #[test]
    fn a_synonym_belongs_to_one_key_and_is_none_itself() {
        let synonyms: Vec<_> = KEYS.iter().flat_map(|key| key.synonyms).collect();
        for (i, synonym) in synonyms.iter().enumerate() {
            assert_eq!(Key::named(synonym), None, "{synonym}");
            assert!(!synonyms[..i].contains(synonym), "{synonym}");
        }
    }

    #[test]
    fn exclusion_is_mutual() {
        for key in &KEYS {
            for other in key.excludes {
                let other = Key::named(other).expect("an excluded key exists");
                assert!(other.excludes(key), "{} and {}", key.name, other.name);
            }
        }
    }
}
