//! The variable that passes a held file to the next program.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pidfile::fuzzing::passed(bytes));
