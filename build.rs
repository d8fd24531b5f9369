//! Compiles the C++ of our own beside RocksDB's.

use std::env;
use std::path::Path;

const SHIM: &str = "src/store/rocks/native";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SHIM}");
    println!("cargo::rerun-if-env-changed=DOCS_RS");
    // Documentation and checks link nothing, and RocksDB's own build compiles nothing for them.
    let is_linked = env::var_os("DOCS_RS").is_none();
    if env::var_os("CARGO_FEATURE_ROCKSDB").is_some() && is_linked {
        compile_shim();
    }
}

fn compile_shim() {
    let mut shim = cc::Build::new();
    shim.cpp(true)
        .std("c++20")
        // RocksDB has no type information, so a class over one of its own cannot have any.
        .flag_if_supported("-fno-rtti")
        .flag_if_supported("/GR-")
        .define("NDEBUG", None)
        .file(format!("{SHIM}/shim.cc"));
    if let Some(headers) = env::var_os("DEP_ROCKSDB_INCLUDE") {
        shim.include(headers);
    }
    // The pools of threads are not among the headers that RocksDB installs.
    if let Some(sources) = env::var_os("DEP_ROCKSDB_CARGO_MANIFEST_DIR") {
        shim.include(Path::new(&sources).join("rocksdb"));
    }
    shim.compile("rocksq_shim");
}
