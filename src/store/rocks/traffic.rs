//! Counting what goes to the disk, across the databases that one open queue has had.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::store::Traffic;

#[derive(Debug, Default)]
pub(super) struct Counters {
    log: AtomicU64,
    tables: AtomicU64,
    rewritten: AtomicU64,
    errors: AtomicU64,
}

impl Counters {
    /// To the log.
    pub(super) fn count_log(&self, bytes: u64) {
        self.log.fetch_add(bytes, Ordering::Relaxed);
    }

    /// To tables, from memtables.
    pub(super) fn count_tables(&self, bytes: u64) {
        self.tables.fetch_add(bytes, Ordering::Relaxed);
    }

    /// To tables, from other tables.
    pub(super) fn count_rewritten(&self, bytes: u64) {
        self.rewritten.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn count_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn so_far(&self) -> Traffic {
        Traffic {
            log: self.log.load(Ordering::Relaxed),
            tables: self.tables.load(Ordering::Relaxed),
            rewritten: self.rewritten.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }
}
