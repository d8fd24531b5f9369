//! What RocksDB needs of the process before it opens a database: threads, memory, and its exit
//! handler in front of ours. It would end the process where one of them is refused.

use std::path::Path;

use rust_rocksdb::Env;

use super::{disk, failure};
use crate::error::{ErrorKind, Result};
use crate::fork;
use crate::memory;
use crate::threads;

/// One for flushes, one for compactions, one that wakes them.
const THREADS: usize = 3;

/// Address space that an opening takes, beside what its log has. Most of it is only set aside, for
/// the stacks of threads, glibc's arenas for them, and RocksDB's caches.
const OPENING_MEMORY: u64 = 320 << 20;

/// Does `open`, in which RocksDB starts those of its threads that are not there. It would end the
/// process when one is refused.
pub(super) fn starting_threads<T>(path: &Path, open: impl FnOnce() -> T) -> Result<T> {
    threads::starting(THREADS, open)
        .map_err(|error| failure::refusal("start RocksDB's threads", path, &error))
}

/// Fails if the memory for an opening is not to be had: RocksDB would end the process, as soon as
/// it makes options.
pub(super) fn check_memory(path: &Path) -> Result<()> {
    let logs = disk::log_size(path).unwrap_or(0);
    memory::probe(OPENING_MEMORY.saturating_add(logs), "open the queue")
        .map_err(|error| error.at(path))
}

/// RocksDB's threads belong to one process, and its exit handler must come after ours.
pub(super) fn prepare(path: &Path) -> Result<()> {
    fork::claim_engine()?;
    check_memory(path)?;
    Env::new().map_err(|status| {
        failure::explain(ErrorKind::Io, "start RocksDB", path, status.as_ref())
    })?;
    fork::guard_exit();
    Ok(())
}
