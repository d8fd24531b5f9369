//! A RocksDB write batch, filled without copying a payload twice.

use std::io::IoSlice;
use std::sync::Arc;

use parking_lot::Mutex;
use rust_rocksdb::{ColumnFamily, WriteBatch};

use super::chunks;
use super::core::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::memory;
use crate::store::{Batch, Records};

/// Changes for one write. Remembers the store's generation: a batch that was built on what an
/// older generation showed must not be written to a newer one.
pub(crate) struct RocksBatch {
    core: Arc<Core>,
    inner: WriteBatch,
    generation: u64,
    first_chunk: Option<u64>,
    failed: Option<Error>,
}

impl RocksBatch {
    pub(super) fn new(core: Arc<Core>, bytes: usize) -> Self {
        let generation = core.generation();
        let spare = core.spare_batch.take(bytes);
        // Nothing is put into a batch that there is no memory for.
        let failed = match spare {
            Some(_) => None,
            None => probe(bytes, "gather a write").err(),
        };
        let room = if failed.is_some() { 0 } else { bytes };
        Self {
            core,
            inner: spare.unwrap_or_else(|| WriteBatch::with_capacity_bytes(room)),
            generation,
            first_chunk: None,
            failed,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn first_chunk(&self) -> Option<u64> {
        self.first_chunk
    }

    /// The finished batch, or the error that a change of it met.
    pub(super) fn finish(&self) -> Result<&WriteBatch> {
        match &self.failed {
            Some(error) => Err(error.clone()),
            None => Ok(&self.inner),
        }
    }

    /// Hides chunks from `from` to before `end` from the flush of the memtable that has them.
    pub(super) fn forget_chunks(&mut self, from: u64, end: u64) -> Result<()> {
        let inner = &mut self.inner;
        let bound = chunks::after(end);
        self.core.with(|engine| {
            inner.delete_range_cf(&engine.chunks(), &chunks::key(from)[..], &bound[..]);
            Ok(())
        })
    }

    /// Leaves its memory to the next batch.
    pub(super) fn recycle(self) {
        self.core.spare_batch.keep(self.inner);
    }

    fn keep(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.failed.get_or_insert(error);
        }
    }
}

/// The memory of the last small batch, for the next one. Never waits: its lock may have been held
/// by a thread that a forked child does not have.
#[derive(Default)]
pub(super) struct SpareBatch(Mutex<Option<WriteBatch>>);

/// What is larger may not fit into memory while all the rest of the program does.
const LARGE: usize = 256 << 10;

/// A larger batch is not kept.
const MAX_SPARE: usize = 64 << 10;

impl SpareBatch {
    fn take(&self, bytes: usize) -> Option<WriteBatch> {
        match bytes {
            ..=MAX_SPARE => self.0.try_lock()?.take(),
            _ => None,
        }
    }

    fn keep(&self, mut batch: WriteBatch) {
        if batch.size_in_bytes() <= MAX_SPARE
            && let Some(mut spare) = self.0.try_lock()
        {
            batch.clear();
            *spare = Some(batch);
        }
    }
}

impl Batch for RocksBatch {
    fn put_chunk(&mut self, position: u64, parts: &[&[u8]]) -> Result<()> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let (key, inner) = (chunks::key(position), &mut self.inner);
        self.core.with(|engine| {
            let family = engine.chunks();
            match parts {
                // RocksDB takes it, since it has less than 4 GiB.
                [whole] if u32::try_from(whole.len()).is_ok() => inner.put_cf(&family, key, whole),
                _ => put_in_pieces(inner, family, &key, parts)?,
            }
            Ok(())
        })?;
        self.first_chunk = Some(
            self.first_chunk
                .map_or(position, |first| first.min(position)),
        );
        Ok(())
    }

    fn put(&mut self, records: Records, key: &[u8], value: &[u8]) {
        let inner = &mut self.inner;
        let outcome = self.core.with(|engine| {
            inner.put_cf(&engine.records(records), key, value);
            Ok(())
        });
        self.keep(outcome);
    }

    fn delete(&mut self, records: Records, key: &[u8]) {
        let inner = &mut self.inner;
        let outcome = self.core.with(|engine| {
            inner.delete_cf(&engine.records(records), key);
            Ok(())
        });
        self.keep(outcome);
    }
}

/// Fails if there is no memory for that much, of what is so large that it can be missing while the
/// process goes on.
pub(super) fn probe(bytes: usize, what: &str) -> Result<()> {
    if bytes <= LARGE {
        return Ok(());
    }
    memory::probe(bytes as u64, what)
}

fn put_in_pieces(
    batch: &mut WriteBatch,
    family: &ColumnFamily,
    key: &[u8],
    parts: &[&[u8]],
) -> Result<()> {
    let value: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    batch
        .put_cf_vectored(&family, &[IoSlice::new(key)], &value)
        .map_err(|status| too_large(status.as_ref()))
}

fn too_large(cause: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("A chunk of this size cannot be stored, push less at once: {cause}"),
    )
}
