//! A queue's directory with any of its files overwritten.
#![no_main]

#[path = "../../tests/rust/damage/directory.rs"]
mod directory;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| directory::run(bytes));
