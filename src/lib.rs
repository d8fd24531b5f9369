//! Durable in-process queues on RocksDB.
//!
//! # Features
//!
//! - `rocksdb`, on by default: the queues, on disk. Without it nothing but the errors and options is
//!   left, which serves the crate's own tests.
//!
//! # Building
//!
//! Rust 1.91 or newer, a C++20 compiler and libclang are needed; the first build compiles RocksDB.
//! On x86-64 it uses the processor's instructions for its checksums only if the program is compiled
//! for them, and large writes run at half speed otherwise. In `.cargo/config.toml`:
//!
//! ```toml
//! [target.'cfg(target_arch = "x86_64")']
//! rustflags = ["-C", "target-feature=+sse4.2,+pclmulqdq"]
//! ```

#![cfg_attr(not(feature = "rocksdb"), allow(dead_code))] // the log without its queues

#[cfg(feature = "rocksdb")]
pub mod blocking;
mod error;
mod events;
#[cfg(feature = "rocksdb")]
#[doc(hidden)]
pub mod extension;
mod fork;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod housekeeping;
mod log;
#[cfg(feature = "rocksdb")]
pub mod maintenance;
pub mod memory;
#[cfg(feature = "rocksdb")]
mod migration;
#[cfg(feature = "rocksdb")]
pub mod mpmc;
#[cfg(feature = "rocksdb")]
pub mod nonblocking;
mod options;
mod primitives;
mod store;
mod threads;
mod wait;
#[cfg(feature = "rocksdb")]
mod worker;

// The Rust in the documents runs as the examples here do.
#[cfg(all(doctest, feature = "rocksdb"))]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/guide/rust.md")]
struct Documents;

#[cfg(feature = "rocksdb")]
pub use blocking::{OpenQueue, QueueKind, close_all, open_queues};
pub use error::{Error, ErrorKind, Result};
pub use log::fill::Watermark;
pub use log::items::Items;
pub use log::read::Batch;
pub use log::stats::{LabelStats, Stats};
#[cfg(feature = "rocksdb")]
pub use migration::{Migrated, Progress, migrate};
pub use options::{CallOptions, Durability, MpmcOptions, OnFull, QueueOptions, StartPosition};
pub use wait::Wait;
