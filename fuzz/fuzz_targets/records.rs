//! The records of a log about itself.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| rocksq::fuzzing::records(bytes));
