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
        Kind::Wait => return wait(literal).map(Some),
        Kind::Handler | Kind::Runtime => Ok(()),
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
    match key {
        "path" | "dir" if value == "~" || value.starts_with("~/") => Err(format!(
            "`~` is not expanded in `{key}`; build the path at run time or use `name`"
        )),
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

fn wait(literal: &Lit) -> Result<Duration, String> {
    const NOT_A_DURATION: &str =
        "`wait` is not a duration; write for example `\"500ms\"`, `\"5s\"`, `\"2m\"` or `\"1h\"`";
    match literal {
        Lit::Str(string) => match duration(&string.value()) {
            Some(Duration::ZERO) => Err("`wait` is zero; leave `wait` out to fail at once".into()),
            Some(duration) => Ok(duration),
            None => Err(NOT_A_DURATION.into()),
        },
        Lit::Int(_) | Lit::Float(_) => {
            Err("`wait` needs a unit: `wait = \"5s\"`, or a `Duration`".into())
        }
        Lit::Bool(forever) if forever.value() => {
            Err(format!("{NOT_A_DURATION}; a bare `wait` waits for ever"))
        }
        _ => Err(NOT_A_DURATION.into()),
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
