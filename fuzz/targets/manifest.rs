//! A manifest, in which the runtime may have another name.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    pidfile_macros::fuzzing::manifest(text);
});
