//! Putting small tables of chunks together.
//!
//! Each opening moves what the log has to a table. A program that opens its queue for every push leaves a
//! table each time, and nothing merges those: tables of chunks never overlap. So an opening that finds
//! enough small tables beside each other has them written into one. A table that has reached [`SMALL`] is
//! not touched again, so a merge writes less than `(SMALL_TABLES + 1) * SMALL`, and a byte is written again at
//! most `SMALL / SMALL_TABLES` times its table's share: once for each merge until its table is that large.
//! A queue that stays open writes larger tables, and has none of it.

use rust_rocksdb::{BottommostLevelCompaction, CompactOptions, LiveFile, ReadOptions};

use super::disk;
use super::engine::Engine;
use super::health::Damage;
use super::kind::DATA;
use crate::error::Result;
use crate::events::{Event, Level};

/// Tables of fewer bytes are small.
const SMALL: u64 = 256 * 1024;

/// So many small tables beside each other are worth a merge.
const SMALL_TABLES: usize = 16;

/// The keys of the first and the last chunk of tables that lie beside each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Run {
    first: Vec<u8>,
    last: Vec<u8>,
    tables: usize,
    bytes: u64,
}

/// Puts small tables together where there are many. The queue does as well without: what fails is put off.
pub(super) fn merge_small_tables(engine: &Engine) {
    if let Err(error) = merge(engine) {
        let text = format_args!("small tables are not put together: {error}");
        Event::at(Level::Debug).about(engine.path()).post(text);
    }
}

fn merge(engine: &Engine) -> Result<()> {
    if engine.health().damage() != Damage::None {
        return Ok(());
    }
    for run in runs(engine.tables()?) {
        let has_room = disk::has_room(engine.path(), run.bytes.saturating_mul(2));
        if run.tables >= SMALL_TABLES && has_room && is_intact(engine, &run)? {
            compact(engine, &run);
        }
    }
    Ok(())
}

/// The runs of small tables in level 1, where tables are in order and do not overlap.
fn runs(mut tables: Vec<LiveFile>) -> Vec<Run> {
    tables.retain(|table| table.column_family_name == DATA && table.level == 1);
    tables.sort_unstable_by(|a, b| a.start_key.cmp(&b.start_key));
    let mut runs = vec![Run::default()];
    for table in tables {
        let bytes = table.size as u64;
        match (table.start_key, table.end_key, runs.last_mut()) {
            (Some(first), Some(last), Some(run)) if bytes < SMALL && fits(run, bytes) => {
                run.add(first, last, bytes);
            }
            (Some(first), Some(last), _) if bytes < SMALL => {
                let mut run = Run::default();
                run.add(first, last, bytes);
                runs.push(run);
            }
            _ => runs.push(Run::default()),
        }
    }
    runs
}

/// Bounds what one merge writes.
fn fits(run: &Run, bytes: u64) -> bool {
    run.bytes.saturating_add(bytes) <= SMALL.saturating_mul(SMALL_TABLES as u64)
}

impl Run {
    fn add(&mut self, first: Vec<u8>, last: Vec<u8>, bytes: u64) {
        if self.tables == 0 {
            self.first = first;
        }
        self.last = last;
        self.tables = self.tables.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

/// Whether every chunk can be read: RocksDB would stop when it meets damage in a merge.
fn is_intact(engine: &Engine, run: &Run) -> Result<bool> {
    let mut how = ReadOptions::default();
    how.fill_cache(false);
    how.set_iterate_lower_bound(run.first.clone());
    let mut rows = engine.db().raw_iterator_cf_opt(engine.chunks(), how);
    rows.seek(&run.first);
    while rows.key().is_some_and(|key| key <= run.last.as_slice()) {
        rows.next();
    }
    rows.status()
        .map(|()| true)
        .map_err(|status| engine.failure("read small tables", &status))
}

fn compact(engine: &Engine, run: &Run) {
    let mut how = CompactOptions::default();
    how.set_bottommost_level_compaction(BottommostLevelCompaction::ForceOptimized);
    engine
        .db()
        .compact_range_cf_opt(engine.chunks(), Some(&run.first), Some(&run.last), &how);
    let text = format_args!(
        "put {} small tables of {} bytes together",
        run.tables, run.bytes
    );
    Event::at(Level::Debug).about(engine.path()).post(text);
}
