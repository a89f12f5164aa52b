//! What the kernel says about locks.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pidfile::fuzzing::locks(bytes));
