//! One opened RocksDB database of a queue.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_rocksdb::checkpoint::Checkpoint;
use rust_rocksdb::properties::NUM_IMMUTABLE_MEM_TABLE;
use rust_rocksdb::{
    ColumnFamily, DB, FlushOptions, LiveFile, WaitForCompactOptions, WriteBatch, WriteOptions,
};
use self_cell::self_cell;

use super::health::Health;
use super::hold::{self, Place};
use super::kind::{DATA, Kind, READER, SYSTEM};
use super::options::Opening;
use super::replay::Replay;
use super::traffic::Counters;
use super::{batch, chunks, directories, disk, failure, merge, names, options, process};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Dropped, Records};

/// Microseconds that a push on a full disk waits for the background work.
const LONGEST_WORK: u64 = 1_000_000;

/// The families that calls use, found once: to look one up takes a tenth of a small write.
struct Families<'d> {
    chunks: &'d ColumnFamily,
    system: &'d ColumnFamily,
    reader: &'d ColumnFamily,
}

impl<'d> Families<'d> {
    fn of(db: &'d DB) -> Result<Self> {
        let find = |name| {
            db.cf_handle(name).ok_or_else(|| {
                Error::corrupt(format!("The queue has lost its column family {name}")).at(db.path())
            })
        };
        Ok(Self {
            chunks: find(DATA)?,
            system: find(SYSTEM)?,
            reader: find(READER)?,
        })
    }
}

self_cell!(
    struct Opened {
        owner: DB,
        #[covariant]
        dependent: Families,
    }
);

pub(super) struct Engine {
    opened: Opened,
    health: Health,
    is_logged: bool,
    /// What the queue is called.
    name: PathBuf,
    /// How it is written to.
    how: WriteOptions,
}

impl Engine {
    /// Opens the database at `place`, which must be held. If there is no room to tidy up, opens
    /// it sparingly.
    ///
    /// Says also what RocksDB dropped from a damaged log, which is kept.
    pub(super) fn open(
        place: &Place,
        kind: Kind,
        opening: Opening,
        counters: &Arc<Counters>,
    ) -> Result<(Self, Option<Dropped>)> {
        process::prepare(&place.name)?;
        if matches!(opening, Opening::Create | Opening::Bulk) {
            return Ok((Self::try_open(place, kind, opening, counters)?, None));
        }
        let replay = Replay::before(place)?;
        match Self::open_somehow(place, kind, opening, counters) {
            Ok(engine) => {
                let dropped = replay.after(engine.db().latest_sequence_number())?;
                merge::merge_small_tables(&engine);
                Ok((engine, dropped))
            }
            Err(error) => {
                replay.undo();
                Err(error)
            }
        }
    }

    fn open_somehow(
        place: &Place,
        kind: Kind,
        opening: Opening,
        counters: &Arc<Counters>,
    ) -> Result<Self> {
        if opening == Opening::Tidy && !has_room_to_tidy(&place.directory) {
            return Self::try_open(place, kind, Opening::Sparing, counters);
        }
        match Self::try_open(place, kind, opening, counters) {
            Err(error) if opening == Opening::Tidy && is_about_room(&error) => {
                Self::try_open(place, kind, Opening::Sparing, counters)
            }
            outcome => outcome,
        }
    }

    /// RocksDB syncs a log only while it writes it. When the log of before the opening stays in
    /// use it must be durable first: else a power cut could lose its end and keep a later log,
    /// whose records would then be dropped although they had been synced.
    fn try_open(
        place: &Place,
        kind: Kind,
        opening: Opening,
        counters: &Arc<Counters>,
    ) -> Result<Self> {
        let (path, name) = (place.directory.as_path(), place.name.as_path());
        let health = Health::counted_by(counters);
        if opening == Opening::Sparing {
            disk::sync_logs(path)
                .map_err(|error| failure::refusal("sync the log", name, &error))?;
            health.count_unflushed(disk::log_size(path).unwrap_or(0));
        }
        let database = options::database(name, &health, opening);
        let families = options::families(kind, opening);
        let db =
            process::starting_threads(path, || DB::open_cf_descriptors(&database, path, families))?
                .map_err(|status| failure::failure("open the queue", name, &status))?;
        let mut how = WriteOptions::default();
        how.disable_wal(opening == Opening::Bulk);
        let engine = Self {
            opened: Opened::try_new(db, |db| Families::of(db))?,
            health,
            is_logged: opening != Opening::Bulk,
            name: name.to_owned(),
            how,
        };
        if opening == Opening::Sparing {
            engine.health.announce(engine.end_of_tables()?);
        }
        Ok(engine)
    }

    /// Chunks from here on are in memory.
    fn end_of_tables(&self) -> Result<u64> {
        let tables = self.tables()?;
        let last = tables
            .iter()
            .filter(|table| table.column_family_name == DATA)
            .filter_map(|table| chunks::position(table.end_key.as_deref()?))
            .max();
        Ok(last.map_or(0, |last| last.saturating_add(1)))
    }

    pub(super) fn tables(&self) -> Result<Vec<LiveFile>> {
        self.db()
            .live_files()
            .map_err(|status| self.failure("list tables", &status))
    }

    pub(super) fn db(&self) -> &DB {
        self.opened.borrow_owner()
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    pub(super) fn path(&self) -> &Path {
        self.db().path()
    }

    /// What errors and events call it.
    pub(super) fn name(&self) -> &Path {
        &self.name
    }

    pub(super) fn chunks(&self) -> &ColumnFamily {
        self.opened.borrow_dependent().chunks
    }

    pub(super) fn records(&self, records: Records) -> &ColumnFamily {
        let families = self.opened.borrow_dependent();
        match records {
            Records::System => families.system,
            Records::Reader => families.reader,
        }
    }

    /// Writes the batch to the log and the memtables.
    ///
    /// When it fails, the record is in the log as a whole only if the memtable refused it
    /// (`has_diverged`) or if the file system reported an earlier failure on a write that it had
    /// carried out, as network file systems do. A local `write` that fails for lack of space or
    /// for a size limit has not written its bytes, so the log ends in a torn record.
    pub(super) fn write(&self, batch: &WriteBatch) -> Result<()> {
        let bytes = batch.size_in_bytes() as u64;
        // A memtable takes an item as a whole.
        batch::probe(batch.size_in_bytes(), "write").map_err(|error| error.at(self.path()))?;
        match self.db().write_opt(batch, &self.how) {
            Ok(()) => {
                self.health.count_written(bytes);
                Ok(())
            }
            Err(status) => {
                self.health.count_error();
                Err(self.write_failure(&status))
            }
        }
    }

    /// Makes what is written durable, beside writers.
    pub(super) fn sync(&self) -> Result<()> {
        if !self.is_logged {
            return self.flush();
        }
        self.health
            .during_sync(|| self.db().flush_wal(true))
            .inspect_err(|_| self.health.count_error())
            .map_err(|status| failure::unknown("sync the log", self.name(), &status))
    }

    /// Copies the database as it is now into the new directory `to`, with its log instead of a
    /// flush. A failure leaves none.
    pub(super) fn back_up(&self, to: &Path) -> Result<()> {
        self.copy_to(to).inspect_err(|_| {
            // RocksDB may have failed when it had given the copy its name.
            let _not_there = std::fs::remove_dir_all(to);
        })
    }

    fn copy_to(&self, to: &Path) -> Result<()> {
        let copy = |status| failure::failure("back up the queue", to, &status);
        let checkpoint = Checkpoint::new(self.db()).map_err(copy)?;
        checkpoint
            .create_checkpoint_with_log_size(to, u64::MAX)
            .map_err(copy)?;
        hold::mark(to)
            .and_then(|()| directories::sync(&names::parent(to)))
            .map_err(|error| failure::refusal("back up the queue", to, &error))
    }

    /// Whether the disk has room for all memtables, as far as can be told.
    pub(super) fn has_room_to_flush(&self) -> bool {
        disk::has_room(self.path(), self.health.in_memory())
    }

    /// Whether chunks are in sealed memtables that no table has replaced yet.
    pub(super) fn is_flush_pending(&self) -> bool {
        let sealed = self
            .db()
            .property_int_value_cf(self.chunks(), NUM_IMMUTABLE_MEM_TABLE);
        sealed.ok().flatten().is_some_and(|memtables| memtables > 0)
    }

    /// Moves all memtables to tables, in one atomic step, and waits for it.
    pub(super) fn flush(&self) -> Result<()> {
        let families = [
            self.chunks(),
            self.records(Records::System),
            self.records(Records::Reader),
        ];
        let mut how = FlushOptions::default();
        how.set_wait(true);
        self.health
            .during_flush(|| self.db().flush_cfs_opt(&families, &how))
            .map_err(|status| failure::failure("flush the queue", self.name(), &status))
    }

    /// Waits, but not for long, until the background work has come to an end.
    pub(super) fn settle(&self) -> Result<()> {
        let mut how = WaitForCompactOptions::default();
        how.set_timeout(LONGEST_WORK);
        self.db()
            .wait_for_compact(&how)
            .map_err(|status| self.failure("give space back", &status))
    }

    /// Never closes the database, since that may write files.
    pub(super) fn leave_open(self: Box<Self>) {
        self.db().cancel_all_background_work(true);
        Box::leak(self);
    }

    pub(super) fn failure(&self, what: &str, status: &rust_rocksdb::Error) -> Error {
        failure::failure(what, self.name(), status)
    }

    fn write_failure(&self, status: &rust_rocksdb::Error) -> Error {
        let text: &str = status.as_ref();
        let torn = failure::is_full(text) || failure::is_file_limit(text);
        let in_log = text.starts_with("IO error") && text.contains(".log");
        if self.health.has_diverged() || (in_log && !torn) {
            failure::unknown("write", self.name(), status)
        } else {
            self.failure("write", status)
        }
    }
}

/// Whether there is room for what the log has, in tables. An attempt without would use up what is
/// needed to open the database sparingly.
fn has_room_to_tidy(path: &Path) -> bool {
    disk::log_size(path).is_ok_and(|bytes| disk::has_room(path, bytes))
}

fn is_about_room(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::DiskFull | ErrorKind::Io)
}
