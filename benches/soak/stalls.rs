//! Counting how often RocksDB made the queue's writes wait, as told to `tracing`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Level;

use crate::hearing::hear;

/// What is said when RocksDB begins to delay writes, and when it has stopped them, of each family.
const SLOWER: [&str; 2] = ["slows writes down", "made writes wait"];
const FAMILY: &str = "data.2";

/// From here on, how many stalls there were.
pub fn count() -> Arc<AtomicU64> {
    let stalls = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&stalls);
    hear(
        |about| about.target() == "rocksq" && *about.level() <= Level::WARN,
        move |_, said| {
            eprintln!("{said}");
            if said.contains(FAMILY) && SLOWER.iter().any(|what| said.contains(what)) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        },
    );
    stalls
}
