//! A store in memory, for tests of the layers above.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::{Batch, Records, Store, Visit, Visitor};
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug, Default)]
pub(crate) struct MemoryStore {
    tables: Mutex<Tables>,
    written: AtomicU64,
    generation: AtomicU64,
    fail: Mutex<Option<ErrorKind>>,
}

#[derive(Clone, Debug, Default)]
struct Tables {
    chunks: BTreeMap<u64, Vec<u8>>,
    records: BTreeMap<(Records, Vec<u8>), Vec<u8>>,
    closed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct MemoryBatch(Vec<Change>);

#[derive(Debug)]
enum Change {
    Chunk(u64, Vec<u8>),
    Put(Records, Vec<u8>, Vec<u8>),
    Delete(Records, Vec<u8>),
}

impl MemoryStore {
    /// A store that holds what this one holds now, as after a crash and an open.
    pub(crate) fn reopened(&self) -> Self {
        let tables = Tables {
            closed: false,
            ..self.tables.lock().clone()
        };
        Self {
            tables: Mutex::new(tables),
            ..Self::default()
        }
    }

    /// Makes the next write fail; `OutcomeUnknown` counts as fatal and starts a new generation.
    pub(crate) fn fail_next_write(&self, kind: ErrorKind) {
        *self.fail.lock() = Some(kind);
    }

    pub(crate) fn chunk_positions(&self) -> Vec<u64> {
        self.tables.lock().chunks.keys().copied().collect()
    }

    fn apply(&self, batch: MemoryBatch) -> Result<()> {
        if let Some(kind) = self.fail.lock().take() {
            if kind == ErrorKind::OutcomeUnknown {
                self.generation.fetch_add(1, Ordering::SeqCst);
            }
            return Err(Error::new(kind, "a simulated failure"));
        }
        let mut tables = self.open_tables()?;
        for change in batch.0 {
            match change {
                Change::Chunk(position, bytes) => {
                    self.written
                        .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    tables.chunks.insert(position, bytes);
                }
                Change::Put(records, key, value) => {
                    tables.records.insert((records, key), value);
                }
                Change::Delete(records, key) => {
                    tables.records.remove(&(records, key));
                }
            }
        }
        Ok(())
    }

    fn open_tables(&self) -> Result<parking_lot::MutexGuard<'_, Tables>> {
        let tables = self.tables.lock();
        if tables.closed {
            return Err(Error::closed());
        }
        Ok(tables)
    }
}

impl Batch for MemoryBatch {
    fn put_chunk(&mut self, position: u64, parts: &[&[u8]]) -> Result<()> {
        self.0.push(Change::Chunk(position, parts.concat()));
        Ok(())
    }

    fn put(&mut self, records: Records, key: &[u8], value: &[u8]) {
        self.0
            .push(Change::Put(records, key.to_vec(), value.to_vec()));
    }

    fn delete(&mut self, records: Records, key: &[u8]) {
        self.0.push(Change::Delete(records, key.to_vec()));
    }
}

impl Store for MemoryStore {
    type Batch = MemoryBatch;

    fn batch(&self, _bytes: usize) -> MemoryBatch {
        MemoryBatch::default()
    }

    fn write(&self, batch: MemoryBatch) -> Result<()> {
        self.apply(batch)
    }

    fn recover(&self) -> Result<()> {
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        self.open_tables().map(drop)
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    fn get(&self, records: Records, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self
            .open_tables()?
            .records
            .get(&(records, key.to_vec()))
            .cloned())
    }

    fn scan(&self, records: Records, prefix: &[u8]) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        Ok(self
            .open_tables()?
            .records
            .iter()
            .filter(|((family, key), _)| *family == records && key.starts_with(prefix))
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }

    fn visit_chunks(&self, floor: u64, position: u64, visitor: &mut Visitor<'_>) -> Result<()> {
        let chunks = self.open_tables()?.chunks.clone();
        let first = chunks
            .range(floor..=position.max(floor))
            .next_back()
            .map_or(floor, |(first, _)| *first);
        for (first, bytes) in chunks.range((Bound::Included(first), Bound::Unbounded)) {
            if visitor(*first, bytes)? == Visit::Stop {
                break;
            }
        }
        Ok(())
    }

    fn reclaim(&self, batch: MemoryBatch, floor: u64, _resting: bool) -> Result<bool> {
        self.apply(batch)?;
        let mut tables = self.open_tables()?;
        tables.chunks = tables.chunks.split_off(&floor);
        self.written.store(0, Ordering::Relaxed);
        Ok(false)
    }

    fn unreclaimed(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn reclaim_after(&self) -> u64 {
        64 * 1024
    }

    fn disk_size(&self) -> Result<u64> {
        let tables = self.open_tables()?;
        Ok(tables.chunks.values().map(|chunk| chunk.len() as u64).sum())
    }

    fn close(&self) -> Result<()> {
        self.tables.lock().closed = true;
        Ok(())
    }
}
