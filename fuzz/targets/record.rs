//! The content of a pidfile.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pidfile::fuzzing::record(bytes));
