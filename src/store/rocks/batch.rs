//! A RocksDB write batch, filled without copying a payload twice.

use std::io::IoSlice;
use std::sync::Arc;

use rust_rocksdb::WriteBatch;

use super::chunks;
use super::core::Core;
use crate::error::{Error, ErrorKind, Result};
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
        Self {
            core,
            inner: WriteBatch::with_capacity_bytes(bytes),
            generation,
            first_chunk: None,
            failed: None,
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
            inner.delete_range_cf(&engine.chunks()?, &chunks::key(from)[..], &bound[..]);
            Ok(())
        })
    }

    fn keep(&mut self, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.failed.get_or_insert(error);
        }
    }
}

impl Batch for RocksBatch {
    fn put_chunk(&mut self, position: u64, parts: &[&[u8]]) -> Result<()> {
        let value: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let inner = &mut self.inner;
        self.core.with(|engine| {
            inner
                .put_cf_vectored(
                    &engine.chunks()?,
                    &[IoSlice::new(&chunks::key(position))],
                    &value,
                )
                .map_err(|status| too_large(status.as_ref()))
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
            inner.put_cf(&engine.records(records)?, key, value);
            Ok(())
        });
        self.keep(outcome);
    }

    fn delete(&mut self, records: Records, key: &[u8]) {
        let inner = &mut self.inner;
        let outcome = self.core.with(|engine| {
            inner.delete_cf(&engine.records(records)?, key);
            Ok(())
        });
        self.keep(outcome);
    }
}

fn too_large(cause: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("A chunk of this size cannot be stored, push less at once: {cause}"),
    )
}
