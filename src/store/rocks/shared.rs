//! What all databases of this process share: the count of what is in their memtables, and the cache
//! of what was read from their tables.

use std::sync::OnceLock;

use rust_rocksdb::{Cache, LruCacheOptions, WriteBufferManager};

use crate::memory::{self, Gauge};

/// RocksDB counts alone; housekeeping flushes, since it knows what was taken meanwhile and need not
/// be written, and which queue has the most.
const NO_LIMIT: usize = 1 << 60;

const GAUGE: Gauge = Gauge {
    in_memory,
    set_cache,
};

/// Counts the memtables.
pub(super) fn memtables() -> &'static WriteBufferManager {
    static SHARED: OnceLock<WriteBufferManager> = OnceLock::new();
    SHARED.get_or_init(|| {
        GAUGE.register();
        WriteBufferManager::new_write_buffer_manager(NO_LIMIT, false)
    })
}

/// For the indexes of open tables and for the small records.
pub(super) fn cache() -> &'static Cache {
    static SHARED: OnceLock<Cache> = OnceLock::new();
    SHARED.get_or_init(|| {
        GAUGE.register();
        let mut options = LruCacheOptions::default();
        options.set_capacity(memory::cache() as usize);
        options.set_num_shard_bits(2);
        Cache::new_lru_cache_opts(&options)
    })
}

/// Bytes in memtables, those included that a flush is writing.
fn in_memory() -> u64 {
    memtables().get_usage() as u64
}

/// Forgets what the cache has, and sets how much it may have.
fn set_cache(bytes: u64) {
    let mut cache = cache().clone();
    cache.set_capacity(0);
    cache.set_capacity(bytes as usize);
}
