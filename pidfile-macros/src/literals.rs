//! Literals that are wrong, or that mean something else than they seem to.
//!
//! Each check knows one kind of argument and answers with the message; where it points is the
//! caller's business. The limits are those of the runtime's `Options`.

use std::time::Duration;

use syn::{Lit, LitInt, LitStr};

use crate::keys::{Key, Kind};

/// The permission bits that a pidfile may have, and those that it must have.
const MOST_MODE: u128 = 0o664;
const LEAST_MODE: u128 = 0o600;

/// The largest user or group id. The next one means "leave it as it is".
const LAST_ID: u128 = 4_294_967_294;

type Verdict = Result<(), String>;

/// Judges a literal that was given for this key, `negative` if there is a minus sign before it. A
/// duration is the one value that has to be converted; all others may stay as they were written.
pub(crate) fn check(key: &Key, literal: &Lit, negative: bool) -> Result<Option<Duration>, String> {
    let verdict = match key.kind {
        Kind::Text => match literal {
            Lit::Str(string) if !negative => text(key.name, string),
            _ => Err(takes_a_string(key)),
        },
        Kind::Mode => match literal {
            Lit::Int(number) if !negative => mode(number),
            Lit::Str(string) if !negative => Err(mode_in_a_string(string)),
            _ => Err("`chmod` takes an octal number, such as `0o644`".into()),
        },
        Kind::Id => id(key, literal, negative),
        Kind::Flag => match literal {
            Lit::Bool(_) if !negative => Ok(()),
            _ => Err(format!("`{}` takes `true` or `false`", key.name)),
        },
        Kind::Wait => return wait(key, literal, negative).map(Some),
        Kind::Handler | Kind::Guard | Kind::Runtime => Ok(()),
    };
    verdict.map(|()| None)
}

fn takes_a_string(key: &Key) -> String {
    let instead = match key.name {
        "owner" => "; for a number use `uid`",
        "group" => "; for a number use `gid`",
        _ => "",
    };
    format!(
        "`{}` takes a string, such as `{}`{instead}",
        key.name, key.example
    )
}

fn text(key: &str, string: &LitStr) -> Verdict {
    let value = string.value();
    if value.is_empty() {
        return Err(format!("`{key}` is empty"));
    }
    if value.contains('\0') {
        return Err(format!("`{key}` contains a NUL byte"));
    }
    if let Some(blank) = placeholder(&value) {
        let token = string.token();
        let values = if blank == "{}" { ", ..." } else { "" };
        return Err(format!(
            "`{blank}` is not filled in; write `{key} = format!({token}{values})`"
        ));
    }
    if let Some(word) = shell_word(&value) {
        let instead = match key {
            "path" | "dir" => "build the path at run time or use `name`",
            _ => "build the value at run time",
        };
        return Err(format!("`{word}` is not expanded in `{key}`; {instead}"));
    }
    match key {
        "path" if value.ends_with('/') => {
            Err("`path` ends in `/`; it must name the pidfile itself, not a directory".into())
        }
        "name" if value.contains('/') => {
            Err("`name` must not contain `/`; use `path`, or `dir` together with `name`".into())
        }
        "name" if value == "." || value == ".." => Err(format!("`{value}` is not a usable `name`")),
        _ => Ok(()),
    }
}

/// Judges the string that stands alone. A word is more likely to be a name than a file in whatever
/// directory the program is started in.
pub(crate) fn lone(string: &LitStr) -> Verdict {
    let value = string.value();
    if value.is_empty() || value.contains(['/', '.', '~', '$', '{', '\0']) {
        return Ok(());
    }
    let token = string.token();
    Err(format!(
        "{token} is a file in the working directory; did you mean `name = {token}`? \
         If not, write `path = {token}`"
    ))
}

/// The first `{}` or `{name}`, which only `format!` fills in.
fn placeholder(text: &str) -> Option<&str> {
    text.match_indices('{').find_map(|(start, _)| {
        let end = start + text[start..].find('}')?;
        let inside = &text[start + 1..end];
        let is_name = inside
            .chars()
            .all(|char| char.is_alphanumeric() || char == '_');
        let is_escaped = text[..start].ends_with(['{', '$']);
        (is_name && !is_escaped).then(|| &text[start..=end])
    })
}

/// A `~`, a `~user` or a `$VARIABLE`, which only a shell expands.
fn shell_word(text: &str) -> Option<&str> {
    let is_part = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    if let Some(rest) = text.strip_prefix('~') {
        let end = 1 + rest.find(|char| !is_part(char)).unwrap_or(rest.len());
        return text[end..]
            .chars()
            .next()
            .is_none_or(|char| char == '/')
            .then(|| &text[..end]);
    }
    let start = text.find('$')?;
    let rest = &text[start + 1..];
    if rest.starts_with('{') {
        return Some(&text[start..=start + 1 + rest.find('}')?]);
    }
    let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    let end = end.unwrap_or(rest.len());
    (end > 0).then(|| &text[start..=start + end])
}

/// Octal is the only way to write a mode. `600` is the classic mistake: it compiles everywhere and
/// means mode 1130.
fn mode(number: &LitInt) -> Verdict {
    // As it was written, except for underscores: `base10_digits` would hide the base.
    let written = number.token().to_string().replace('_', "");
    let digits = written.strip_suffix(number.suffix()).unwrap_or(&written);
    let value = number.base10_parse::<u128>();

    let Some(octal) = digits.strip_prefix("0o") else {
        let looks_octal = matches!(digits.len(), 3 | 4) && digits.bytes().all(is_octal);
        return Err(match value {
            Ok(value) if looks_octal => {
                let meant = digits.trim_start_matches('0');
                let meant = if meant.is_empty() { "0" } else { meant };
                format!(
                    "`chmod` is written in octal: `0o{meant}` (decimal {value} is mode 0o{value:o})"
                )
            }
            Ok(value) => format!("`chmod` is written in octal: {digits} is mode `0o{value:o}`"),
            Err(_) => "`chmod` takes an octal number, such as `0o644`".into(),
        });
    };
    if !matches!(number.suffix(), "" | "u32") {
        return Err("`chmod` is a `u32`".into());
    }
    // Too large even for 128 bits, it certainly has a bit that it must not have.
    let value = value.unwrap_or(u128::MAX);
    if value & !MOST_MODE != 0 {
        return Err(format!(
            "`chmod` of a pidfile may allow at most `0o{MOST_MODE:o}`, not `0o{octal}`"
        ));
    }
    if value & LEAST_MODE != LEAST_MODE {
        return Err(format!(
            "`chmod` must let the owner read and write (`0o{LEAST_MODE:o}`), `0o{octal}` does not"
        ));
    }
    Ok(())
}

fn mode_in_a_string(string: &LitStr) -> String {
    let value = string.value();
    let digits = value.strip_prefix("0o").unwrap_or(&value);
    let meant = digits.trim_start_matches('0');
    if !meant.is_empty() && meant.len() <= 4 && meant.bytes().all(is_octal) {
        format!("`chmod` takes an octal number, not a string: `0o{meant}`")
    } else {
        "`chmod` takes an octal number, such as `0o644`".into()
    }
}

fn is_octal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'7')
}

fn id(key: &Key, literal: &Lit, negative: bool) -> Verdict {
    let key_name = key.name;
    match literal {
        Lit::Int(_) if negative => Err(format!("`{key_name}` cannot be negative")),
        Lit::Int(number) => match number.base10_parse::<u128>() {
            Ok(value) if value <= LAST_ID => Ok(()),
            _ => Err(format!(
                "`{key_name}` is out of range: the largest is {LAST_ID}"
            )),
        },
        _ => {
            let by_name = if key_name == "uid" { "owner" } else { "group" };
            Err(format!(
                "`{key_name}` takes a number; for a name use `{by_name}`"
            ))
        }
    }
}

fn wait(key: &Key, literal: &Lit, negative: bool) -> Result<Duration, String> {
    let name = key.name;
    let not_a_duration = format!(
        "`{name}` is not a duration; write for example `\"500ms\"`, `\"5s\"`, `\"2m\"` or `\"1h\"`"
    );
    match literal {
        _ if negative => Err(not_a_duration),
        Lit::Str(string) => match duration(&string.value()) {
            Some(Duration::ZERO) if key.stands_alone() => Err(format!(
                "`{name}` is zero; leave `{name}` out to fail at once"
            )),
            Some(Duration::ZERO) => Err(format!(
                "`{name}` is zero; the process that is told to leave needs time for it"
            )),
            Some(duration) => Ok(duration),
            None => Err(not_a_duration),
        },
        Lit::Int(number) if duration(&number.token().to_string()).is_some() => Err(format!(
            "`{name}` takes its unit in a string: `{name} = \"{number}\"`"
        )),
        Lit::Int(_) | Lit::Float(_) => Err(format!(
            "`{name}` needs a unit: `{name} = {}`, or a `Duration`",
            key.example
        )),
        Lit::Bool(forever) if forever.value() && key.stands_alone() => {
            Err(format!("{not_a_duration}; a bare `{name}` waits forever"))
        }
        _ => Err(not_a_duration),
    }
}

/// Reads whole numbers with their units, from the largest unit to the smallest, each at most once.
fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
    let mut units = UNITS.iter();
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() || text.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at(digits);
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, behind) = behind.split_at(letters);
        let (_, millis) = units.find(|(unit, _)| *unit == name)?;
        let millis = number.parse::<u64>().ok()?.checked_mul(*millis)?;
        total = total.checked_add(millis)?;
        rest = behind;
    }
    Some(Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_have_units() {
        for (text, millis) in [
            ("500ms", 500),
            ("5s", 5_000),
            ("1m30s", 90_000),
            ("1h", 3_600_000),
            ("1h2m3s4ms", 3_723_004),
            ("0s", 0),
            ("090s", 90_000),
            ("18446744073709551615ms", u64::MAX),
        ] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "5",
            "s",
            "5 s",
            " 5s",
            "5s ",
            "5S",
            "5sec",
            "1.5s",
            "-5s",
            "+5s",
            "5s5s",
            "30s1m",
            "1d",
            "5\u{b5}s",
            "18446744073709551616ms",
            "18446744073709551615s",
            "5ms\0",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
