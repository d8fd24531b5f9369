//! Counting how often RocksDB made the queue's writes wait, as told to `tracing`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Level;

use crate::hearing::hear;

/// From here on, how many stalls there were.
pub fn count() -> Arc<AtomicU64> {
    let stalls = Arc::<AtomicU64>::default();
    let counted = Arc::clone(&stalls);
    hear(
        |about| about.target() == "rocksq" && *about.level() <= Level::WARN,
        move |_, said| match said.contains("background work is behind") {
            true => drop(counted.fetch_add(1, Ordering::Relaxed)),
            false => eprintln!("{said}"),
        },
    );
    stalls
}
