//! What the store promises, on real directories.

mod changes;
mod exclusion;
mod opening;
mod reclaiming;
mod recovery;
mod refusals;
mod storing;

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::engine::Engine;
use super::options::Opening;
use super::{Kind, RocksStore};
use crate::error::Result;
use crate::store::{Batch, Store, Visit};

fn open(path: &Path, kind: Kind) -> Result<RocksStore> {
    RocksStore::open(path, kind, Some(Duration::ZERO))
}

fn fifo(path: &Path) -> RocksStore {
    open(path, Kind::Fifo).unwrap()
}

fn push(store: &RocksStore, position: u64, value: &[u8]) -> Result<()> {
    let mut batch = store.batch(value.len() + 64);
    batch.put_chunk(position, &[value])?;
    store.write(batch)
}

/// The positions that a visit from `position` sees.
fn visit(store: &RocksStore, floor: u64, position: u64) -> Vec<u64> {
    let mut seen = Vec::new();
    store
        .visit_chunks(floor, position, &mut |first, _| {
            seen.push(first);
            Ok(Visit::Next)
        })
        .unwrap();
    seen
}

/// RocksDB may be deleting what it no longer needs: then once more.
fn copy(from: &Path, to: &Path) {
    while try_copy(from, to).is_err() {
        fs::remove_dir_all(to).unwrap();
    }
}

fn try_copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}
