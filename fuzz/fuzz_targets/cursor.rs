//! Cursor records and label keys.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| rocksq::fuzzing::cursor(bytes));
