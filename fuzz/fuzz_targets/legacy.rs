//! Keys, values and labels of rocksq 0.3.0.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| rocksq::fuzzing::legacy(bytes));
