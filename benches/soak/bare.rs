//! RocksDB without a queue, set up as one sets it up, and cleared as one clears it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rust_rocksdb::{BlockBasedOptions, ChecksumType, DB, DBCompressionType, Options};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
/// Tables are dropped after so many bytes.
const CLEAR: u64 = 64 << 20;

pub struct Bare {
    db: DB,
    next: AtomicU64,
    since: AtomicU64,
}

impl Bare {
    pub fn open(path: &Path) -> Self {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_compression_type(DBCompressionType::None);
        options.set_write_buffer_size(24 * MIB);
        options.set_max_write_buffer_number(4);
        options.set_arena_block_size(64 * KIB);
        options.set_num_levels(2);
        options.set_target_file_size_base(32 * MIB as u64);
        options.set_level_zero_file_num_compaction_trigger(1);
        options.set_max_bytes_for_level_base(1 << 50);
        options.set_writable_file_max_buffer_size(256 * KIB as u64);
        options.set_allow_fallocate(false);
        let mut tables = BlockBasedOptions::default();
        tables.set_block_size(64 * KIB);
        tables.set_checksum_type(ChecksumType::CRC32c);
        options.set_block_based_table_factory(&tables);
        Self {
            db: DB::open(&options, path).unwrap(),
            next: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }

    pub fn put(&self, record: &[u8]) {
        let key = self.next.fetch_add(1, Ordering::Relaxed);
        self.db.put(key.to_be_bytes(), record).unwrap();
    }

    /// Drops tables now and then, so that the disk stays bounded.
    pub fn clear(&self, record: usize) {
        let since = self.since.fetch_add(record as u64, Ordering::Relaxed);
        if since >= CLEAR {
            self.since.store(0, Ordering::Relaxed);
            let until = self.next.load(Ordering::Relaxed).to_be_bytes();
            self.db
                .delete_file_in_range(0u64.to_be_bytes(), until)
                .unwrap();
        }
    }
}
