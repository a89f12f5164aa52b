//! The parts of an argument: a step's name, and a value of the type that the step takes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::str::FromStr;

/// Splits `name=value` or `name`; the value's bytes are kept as they are.
pub(crate) fn split(argument: &OsStr) -> (String, OsString) {
    let (name, value) = halves(argument, b'=');
    (name.to_string_lossy().into_owned(), value.to_owned())
}

/// What is before and after the first such byte; without one, nothing is after it.
pub(crate) fn halves(value: &OsStr, separator: u8) -> (&OsStr, &OsStr) {
    let bytes = value.as_bytes();
    let position = bytes.iter().position(|&byte| byte == separator);
    let end = position.unwrap_or(bytes.len());
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (OsStr::from_bytes(&bytes[..end]), OsStr::from_bytes(rest))
}

/// A number, or anything else with a text form.
pub(crate) fn number<T: FromStr>(value: &OsStr) -> T {
    value
        .to_str()
        .and_then(|text| text.parse().ok())
        .expect("the step takes a value of its type")
}

/// A mode, in the type that this system gives it.
pub(crate) fn octal<T: TryFrom<u32>>(value: &OsStr) -> T {
    let bits = u32::from_str_radix(value.to_str().unwrap_or_default(), 8).ok();
    bits.and_then(|bits| bits.try_into().ok())
        .expect("the step takes a mode")
}
