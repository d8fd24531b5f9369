//! Giving disk space back.
//!
//! Chunks leave in one of two ways. Those still in the active memtable get a range deletion just
//! before a flush that leaves them out of its table, so that a payload that is taken soon is
//! written to the log alone. Those in tables go with their table, once all of it is behind the
//! floor: that reads and rewrites nothing.
//!
//! Dropping a table undoes nothing at a power cut while the cursor that allowed it may be undone
//! with the end of the log. So the log is synced before each drop.
//!
//! A range deletion widens the key range of the table it ends up in. If it reached back to chunks
//! of older tables, level 0 would overlap level 1, tables would be merged instead of moved, and no
//! table would ever lie behind the floor as a whole. So it covers chunks of its own memtable
//! alone, and never what an earlier one has covered.

use rust_rocksdb::LiveFile;

use super::chunks;
use super::engine::Engine;
use super::kind::DATA;
use crate::error::Result;
use crate::events::{Event, Level};
use crate::store::Occasion;

/// Bytes to write before a flush is due. Bounds what a drained queue keeps in its log.
pub(super) const DUE: u64 = 12 * 1024 * 1024;

/// The same for a drained queue, whose flush writes next to nothing and frees memory and log.
const DUE_RESTING: u64 = 1024 * 1024;

/// Dropping tables costs a sync and a lock: not for less than so many bytes or tables.
const WORTH_BYTES: u64 = 8 * 1024 * 1024;
const WORTH_TABLES: usize = 16;

/// The chunks below `floor` that a range deletion may cover: `from` and the exclusive end.
pub(super) fn deletable(engine: &Engine, trimmed: u64, floor: u64) -> Option<(u64, u64)> {
    let from = engine.health().active_from()?.max(trimmed);
    (from < floor).then_some((from, floor))
}

/// Whether there is no room for the flush that is due, and no table to drop. The mark of a trim would
/// only use up the room for taking more.
pub(super) fn is_in_vain(engine: &Engine, floor: u64, occasion: Occasion) -> Result<bool> {
    if !is_due(engine, occasion) || has_room_to_flush(engine, floor)? {
        return Ok(false);
    }
    let resting = occasion == Occasion::Resting;
    Ok(!Behind::count(engine, floor)?.is_worth_dropping(resting))
}

/// Flushes if that is due and drops the tables below `floor` if they are worth it. Returns whether
/// a later call could drop more.
///
/// A flush without room would stop the database, and writing to the log may go on for a while.
pub(super) fn reclaim(engine: &Engine, floor: u64, occasion: Occasion) -> Result<bool> {
    let resting = occasion == Occasion::Resting;
    if is_due(engine, occasion) && has_room_to_flush(engine, floor)? {
        let written = engine.health().unflushed();
        engine.flush()?;
        event(engine).post(format_args!(
            "gave space back: flushed what is left of {written} bytes"
        ));
    }
    let mut behind = Behind::count(engine, floor)?;
    if behind.is_worth_dropping(resting) {
        drop_tables(engine, floor)?;
        event(engine).post(format_args!(
            "gave space back: dropped {} tables of {} bytes",
            behind.tables, behind.bytes
        ));
        behind = Behind::count(engine, floor)?;
    }
    let pending = resting && engine.is_flush_pending();
    Ok(pending || behind.waiting > 0 || behind.is_worth_dropping(resting))
}

fn is_due(engine: &Engine, occasion: Occasion) -> bool {
    let health = engine.health();
    match occasion {
        Occasion::Busy => health.unflushed() >= DUE,
        Occasion::Resting => health.unflushed() >= DUE_RESTING,
        Occasion::Short => health.in_memory() > 0,
    }
}

fn event(engine: &Engine) -> Event {
    Event::at(Level::Debug).about(engine.name())
}

/// A flush leaves out what is below the floor: that of a drained queue writes next to nothing, and
/// is what gives room again to one that has filled the disk.
fn has_room_to_flush(engine: &Engine, floor: u64) -> Result<bool> {
    Ok(engine.has_room_to_flush() || chunks::last(engine)?.is_none_or(|last| last < floor))
}

/// Tables whose chunks all start below the floor.
#[derive(Debug, Default)]
struct Behind {
    tables: usize,
    bytes: u64,
    /// Those still in level 0, which cannot be dropped there.
    waiting: usize,
}

impl Behind {
    fn count(engine: &Engine, floor: u64) -> Result<Self> {
        let files = engine.tables()?;
        let mut behind = Self::default();
        for file in files.iter().filter(|file| is_behind(file, floor)) {
            if file.level == 0 {
                behind.waiting += 1;
            } else {
                behind.tables += 1;
                behind.bytes = behind.bytes.saturating_add(file.size as u64);
            }
        }
        Ok(behind)
    }

    fn is_worth_dropping(&self, resting: bool) -> bool {
        self.bytes >= WORTH_BYTES || self.tables >= WORTH_TABLES || (resting && self.tables > 0)
    }
}

fn is_behind(file: &LiveFile, floor: u64) -> bool {
    let last = file.end_key.as_deref().and_then(chunks::position);
    file.column_family_name == DATA && last.is_some_and(|last| last < floor)
}

fn drop_tables(engine: &Engine, floor: u64) -> Result<()> {
    engine.sync()?;
    engine
        .db()
        .delete_file_in_range_cf(
            &engine.chunks(),
            &chunks::key(0)[..],
            &chunks::after(floor)[..],
        )
        .map_err(|status| engine.failure("drop tables", &status))
}
