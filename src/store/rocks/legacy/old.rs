//! An old database, opened so that not a byte of it changes: what its log holds is replayed in
//! memory. Its lock must be held.

use std::path::{Path, PathBuf};

use rust_rocksdb::{ColumnFamily, DB, DBRawIterator, DBRecoveryMode, ReadOptions};

use super::damaged;
use super::format::{self, RING};
use crate::error::{Error, ErrorKind, Result};
use crate::store::files::{contents, logs, wal};
use crate::store::rocks::kind::{DEFAULT, Kind};
use crate::store::rocks::{endless, failure, options, process};

const DATA: &str = "data";
const SYSTEM: &str = "system";
const READER: &str = "reader";

/// How much a scan reads at once.
const READ_AHEAD: usize = 1 << 20;

pub(super) struct OldQueue {
    db: DB,
    kind: Kind,
    path: PathBuf,
}

impl OldQueue {
    /// What a kill or a power cut leaves is an incomplete record at the end of the log. Anything else
    /// is refused, it must not be dropped without a word.
    pub(super) fn open(path: &Path, kind: Kind) -> Result<Self> {
        check_files(path)?;
        let db = open(path, kind, DBRecoveryMode::TolerateCorruptedTailRecords)?;
        let queue = Self {
            db,
            kind,
            path: path.to_owned(),
        };
        queue.check_is_of_one_kind()?;
        Ok(queue)
    }

    /// Fails if a log ends in an incomplete record. When there are several, one whose end is missing
    /// leaves a gap before what the next one holds.
    pub(super) fn check_logs_are_whole(&self) -> Result<()> {
        open(&self.path, self.kind, DBRecoveryMode::AbsoluteConsistency).map(drop)
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The error for damage that was found in it.
    pub(super) fn damaged(&self, why: &str) -> Error {
        damaged(&self.path, why)
    }

    /// A counter, if it is there.
    pub(super) fn counter(&self, number: u64) -> Result<Option<u64>> {
        let family = match self.kind {
            Kind::Fifo => DEFAULT,
            Kind::Mpmc => SYSTEM,
        };
        let Some(value) = self.get(family, &format::key(number))? else {
            return Ok(None);
        };
        let value = self.split(&value)?.0;
        let number = format::number(value).ok_or_else(|| self.damaged("a counter has no 8 bytes"));
        number.map(Some)
    }

    /// Calls `visitor` with the index and payload length of each item, in no useful order.
    pub(super) fn scan_items(&self, visitor: &mut dyn FnMut(u64, u64) -> Result<()>) -> Result<()> {
        let mut rows = self.rows()?;
        rows.seek_to_first();
        while let Some((key, value)) = rows.item() {
            if let Some(index) = self.index(key)? {
                visitor(index, self.split(value)?.0.len() as u64)?;
            }
            rows.next();
        }
        rows.status().map_err(|status| explain(&self.path, &status))
    }

    /// Calls `visitor` with each label and its record.
    pub(super) fn scan_labels(
        &self,
        visitor: &mut dyn FnMut(String, format::Reader) -> Result<()>,
    ) -> Result<()> {
        if self.kind == Kind::Fifo {
            return Ok(());
        }
        let mut rows = self.db.raw_iterator_cf(self.family(READER)?);
        rows.seek_to_first();
        while let Some((label, value)) = rows.item() {
            let label = String::from_utf8(label.to_vec())
                .map_err(|_| self.damaged("a label is not text"))?;
            let record = format::Reader::decode(self.split(value)?.0)
                .filter(|record| record.index < RING)
                .ok_or_else(|| self.damaged(&format!("the record of label {label:?}")))?;
            visitor(label, record)?;
            rows.next();
        }
        rows.status().map_err(|status| explain(&self.path, &status))
    }

    /// When the item with `index` was added, in seconds since 1970.
    pub(super) fn time_of(&self, index: u64) -> Result<Option<u64>> {
        match self.get(self.items(), &format::key(index))? {
            Some(value) => Ok(self.split(&value)?.1.map(u64::from)),
            None => Ok(None),
        }
    }

    /// An iterator over the family that has the items.
    pub(super) fn rows(&self) -> Result<DBRawIterator<'_>> {
        let mut how = ReadOptions::default();
        how.fill_cache(false);
        how.set_readahead_size(READ_AHEAD);
        Ok(self.db.raw_iterator_cf_opt(self.family(self.items())?, how))
    }

    /// A value without its time, and the time in seconds since 1970; a FIFO queue has none.
    pub(super) fn split<'v>(&self, value: &'v [u8]) -> Result<(&'v [u8], Option<u32>)> {
        match self.kind {
            Kind::Fifo => Ok((value, None)),
            Kind::Mpmc => format::split_time(value)
                .map(|(value, time)| (value, Some(time)))
                .ok_or_else(|| self.damaged("a value does not end in a time")),
        }
    }

    pub(super) fn failure(&self, status: &rust_rocksdb::Error) -> Error {
        explain(&self.path, status)
    }

    /// The index in a key; `None` for the key of a counter.
    fn index(&self, key: &[u8]) -> Result<Option<u64>> {
        let counters = [format::FIFO_WRITE, format::FIFO_READ, format::FIFO_BYTES];
        match format::number(key) {
            Some(index) if index < RING => Ok(Some(index)),
            Some(number) if self.kind == Kind::Fifo && counters.contains(&number) => Ok(None),
            _ => Err(self.damaged("a key is no index")),
        }
    }

    fn items(&self) -> &'static str {
        match self.kind {
            Kind::Fifo => DEFAULT,
            Kind::Mpmc => DATA,
        }
    }

    fn get(&self, family: &str, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db
            .get_cf(self.family(family)?, key)
            .map_err(|status| explain(&self.path, &status))
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily> {
        self.db
            .cf_handle(name)
            .ok_or_else(|| self.damaged(&format!("it has lost its family {name}")))
    }

    /// rocksq 0.3.0 opens a FIFO queue as an MPMC queue too, and can then open it as neither.
    fn check_is_of_one_kind(&self) -> Result<()> {
        if self.kind == Kind::Fifo {
            return Ok(());
        }
        let mut rows = self.db.raw_iterator_cf(self.family(DEFAULT)?);
        rows.seek_to_first();
        rows.status()
            .map_err(|status| explain(&self.path, &status))?;
        if !rows.valid() {
            return Ok(());
        }
        let message = format!(
            "Cannot convert the queue of rocksq 0.3.0 at {}: it holds a FIFO queue that was \
             opened as an MPMC queue; nothing was changed, restore it from a copy",
            self.path.display()
        );
        Err(Error::new(ErrorKind::WrongKind, message).at(&self.path))
    }
}

/// RocksDB reads the table of contents and the logs up to the first record that is not whole, and
/// believes what it has read.
fn check_files(path: &Path) -> Result<()> {
    let refused = |error| failure::refusal("read the queue of rocksq 0.3.0", path, &error);
    let Some(manifest) = contents::current(path).map_err(refused)? else {
        return Err(damaged(path, "CURRENT names no table of contents"));
    };
    if !contents::read(&manifest).map_err(refused)?.is_whole() {
        return Err(damaged(path, "the table of contents is not whole"));
    }
    let logs = wal::files(path).map_err(refused)?;
    if let Some(doubt) = contents::doubt(path, &logs).map_err(refused)? {
        return Err(damaged(path, &doubt.to_string()));
    }
    match logs::damage(&logs).map_err(refused)?.first() {
        Some(damage) => Err(damaged(path, &damage.to_string())),
        None => Ok(()),
    }
}

fn open(path: &Path, kind: Kind, mode: DBRecoveryMode) -> Result<DB> {
    endless::check_logs(path).map_err(|error| match error.kind() {
        ErrorKind::Corrupt => damaged(path, "a log is damaged in a way that stops RocksDB"),
        _ => error,
    })?;
    let mut options = options::passive(path);
    options.set_max_open_files(64);
    options.set_skip_stats_update_on_db_open(true);
    options.set_wal_recovery_mode(mode);
    let families: &[&str] = match kind {
        Kind::Fifo => &[DEFAULT],
        Kind::Mpmc => &[DEFAULT, DATA, SYSTEM, READER],
    };
    process::starting_threads(path, || {
        DB::open_cf_for_read_only(&options, path, families, false)
    })?
    .map_err(|status| explain(path, &status))
}

/// A file that is missing is damage too.
fn explain(path: &Path, status: &rust_rocksdb::Error) -> Error {
    let text: &str = status.as_ref();
    if text.starts_with("Corruption") || text.contains("No such file") {
        damaged(path, text)
    } else {
        failure::failure("read the queue of rocksq 0.3.0", path, status)
    }
}
