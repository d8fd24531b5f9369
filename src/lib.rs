//! Durable in-process queues on RocksDB.

#![cfg_attr(not(feature = "rocksdb"), allow(dead_code))] // the log without its queues

#[cfg(feature = "rocksdb")]
pub mod blocking;
mod error;
mod fork;
mod housekeeping;
mod log;
#[cfg(feature = "rocksdb")]
pub mod mpmc;
#[cfg(feature = "rocksdb")]
pub mod nonblocking;
mod options;
#[cfg(feature = "python")]
mod python;
mod store;
#[cfg(feature = "rocksdb")]
mod worker;

// The Rust in the documents runs as the examples here do.
#[cfg(all(doctest, feature = "rocksdb"))]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/guide/rust.md")]
struct Documents;

pub use error::{Error, ErrorKind, Result};
pub use log::items::Items;
pub use log::read::Batch;
pub use log::wait::Wait;
pub use options::{MpmcOptions, QueueOptions, StartPosition};
