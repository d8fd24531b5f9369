//! Log files and tables of contents.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| rocksq::fuzzing::files(bytes));
