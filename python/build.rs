//! Refuses to build the Python package without the instructions that RocksDB's checksums need.
//!
//! RocksDB's build chooses them by the target features of Rust, which `.cargo/config.toml` sets.
//! Cargo ignores that setting when `RUSTFLAGS` is set, and the package would be half as fast
//! without a word.

use std::env;
use std::process::ExitCode;

const NEEDED: [&str; 2] = ["sse4.2", "pclmulqdq"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    let is_x86_64 = variable("CARGO_CFG_TARGET_ARCH") == "x86_64";
    let features = variable("CARGO_CFG_TARGET_FEATURE");
    let has_all = NEEDED
        .iter()
        .all(|needed| features.split(',').any(|has| has == *needed));
    if is_x86_64 && !has_all {
        println!(
            "cargo::error=rocksq must be compiled for SSE4.2 and PCLMULQDQ, and RUSTFLAGS replaces \
             the flags of its .cargo/config.toml: unset RUSTFLAGS or add to it \
             -Ctarget-feature=+sse4.2,+pclmulqdq"
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
