//! Old directories made to measure. What the wheel of 0.3.0 wrote is in `tests/fixtures/0.3.0`.

mod damaged;
mod placing;
mod switching;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bincode::config;
use rust_rocksdb::{DB, Options};

use super::format::{self, Reader};
use super::*;
use crate::store::{Batch, Place, Visit};

/// The second in which most items here were added.
const SECOND: u32 = 1_700_000_000;

/// An old database that is being written.
struct Old(DB);

impl Old {
    fn new(path: &Path, families: &[&str]) -> Self {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        Self(DB::open_cf(&options, path, families).unwrap())
    }

    /// A FIFO queue with items at these indexes.
    fn fifo(path: &Path, read: u64, write: u64, items: &[(u64, &str)]) -> Self {
        let old = Self::new(path, &["default"]);
        for (index, item) in items {
            old.put("default", format::key(*index), item.as_bytes());
        }
        old.put(
            "default",
            format::key(format::FIFO_READ),
            read.to_le_bytes(),
        );
        old.put(
            "default",
            format::key(format::FIFO_WRITE),
            write.to_le_bytes(),
        );
        old
    }

    /// An MPMC queue with items at these indexes, each named after its own.
    fn mpmc(path: &Path, indexes: impl IntoIterator<Item = u64>) -> Self {
        let old = Self::new(path, &["data", "system", "reader"]);
        for index in indexes {
            old.add(index, index.to_string().as_bytes(), SECOND);
        }
        old
    }

    fn add(&self, index: u64, item: &[u8], second: u32) {
        self.put("data", format::key(index), timed(item, second));
    }

    fn ends_at(self, write: u64) -> Self {
        let value = timed(&write.to_le_bytes(), SECOND);
        self.put("system", format::key(format::WRITE), value);
        self
    }

    /// A label at `index`; `until` is the second of the newest item if it has read that.
    fn label(self, label: &str, index: u64, until: Option<u32>, expired: bool) -> Self {
        let reader = Reader {
            index,
            end_timestamp: until.map(|second| u64::from(second) * 1_000_000_000),
            expired,
        };
        let record = bincode::encode_to_vec(reader, config::standard()).unwrap();
        self.put("reader", label, timed(&record, SECOND));
        self
    }

    fn put(&self, family: &str, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let family = self.0.cf_handle(family).unwrap();
        self.0.put_cf(family, key, value).unwrap();
    }
}

fn timed(value: &[u8], second: u32) -> Vec<u8> {
    [value, &second.to_le_bytes()].concat()
}

/// A directory for one queue.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn queue(&self) -> PathBuf {
        self.0.path().join("queue")
    }
}

/// Writes a chunk for each run: its items, each with a full stop.
fn write(store: &RocksStore, source: &mut dyn Source) -> Result<()> {
    let mut position = 0;
    source.visit_items(&mut |items, _| {
        let mut batch = store.batch(0);
        let parts: Vec<&[u8]> = items.iter().flat_map(|item| [item, &b"."[..]]).collect();
        batch.put_chunk(position, &parts)?;
        position += items.len() as u64;
        store.write(batch)
    })
}

fn convert_to_end(path: &Path, kind: Kind) -> Result<Option<Migrated>> {
    convert(path, kind, Some(Duration::ZERO), &mut write, &mut |_, _| {
        Ok(())
    })
}

/// The items that [`write`] has written.
fn written(path: &Path, kind: Kind) -> Vec<String> {
    let store = RocksStore::open(path, kind, Some(Duration::ZERO)).unwrap();
    let mut found = Vec::new();
    let mut keep = |_, bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        found.extend(text.split_terminator('.').map(str::to_owned));
        Ok(Visit::Next)
    };
    store.visit_chunks(0, 0, &mut keep).unwrap();
    found
}

fn texts(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|n| n.to_string()).collect()
}

type Picture = BTreeMap<PathBuf, (Vec<u8>, SystemTime)>;

/// Names, contents and modification times of everything in a directory.
fn picture(path: &Path) -> Picture {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    names
        .map(|entry| {
            let modified = entry.metadata().unwrap().modified().unwrap();
            (entry.path(), (fs::read(entry.path()).unwrap(), modified))
        })
        .collect()
}
