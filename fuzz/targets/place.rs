//! Paths, names, `argv[0]` and the variables that name a directory.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pidfile::fuzzing::place(bytes));
