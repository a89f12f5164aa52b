//! The arguments of the attribute, and what it stands on.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    pidfile_macros::fuzzing::attribute(text);
});
