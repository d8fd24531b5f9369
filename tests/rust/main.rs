//! The public interface on real directories, one behaviour in each file.

// A test may panic: that is how it fails.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod access;
mod batches;
#[cfg(target_os = "linux")]
mod closing;
#[cfg(unix)]
mod copies;
#[cfg(target_os = "linux")]
mod crash;
mod damage;
mod documents;
#[cfg(unix)]
mod durability;
mod examples;
#[cfg(target_os = "linux")]
mod faults;
mod fifo;
#[cfg(unix)]
mod fork;
mod formats;
mod futures;
mod growth;
mod huge;
#[cfg(unix)]
mod kill;
mod layers;
mod legacy;
mod lifetime;
#[cfg(target_os = "linux")]
mod memory;
mod model;
mod mpmc;
mod nonblocking;
mod released;
#[cfg(target_os = "linux")]
mod resources;
mod sharing;
#[cfg(target_os = "linux")]
mod short;
mod stalls;
mod support;
mod threads;
#[cfg(target_os = "linux")]
mod written;
