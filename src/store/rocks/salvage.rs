//! Reading what is intact of a damaged queue.
//!
//! RocksDB checks each block of a table when it reads it, and an iterator stops at a bad one. Here it
//! goes on behind it. Where the bad block ends is told by the table's index, through the sizes
//! that RocksDB estimates from it without reading blocks.

use std::path::{Path, PathBuf};

use rust_rocksdb::{ColumnFamily, DB, Options, Range, ReadOptions};

use super::kind::{DATA, DATA_ID, READER, SYSTEM};
use super::{aside, chunks, endless, failure, options, process, survey};
use crate::error::{Error, ErrorKind, Result};
use crate::store::Records;
use crate::store::files::changes::{self, Change};
use crate::store::files::wal::{self, Detail};

/// What a walk through a damaged queue comes upon, in the order of positions.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    /// The chunk whose first item is at this position.
    Chunk(u64, &'a [u8]),
    /// Chunks that begin at this position or later cannot be read.
    Unreadable(u64, Error),
}

/// A record: its key and its value.
pub(crate) type Row = (Vec<u8>, Vec<u8>);

/// A damaged queue, opened for reading.
pub(crate) struct Salvage {
    db: DB,
    /// The directory of the queue, which may not be the one that was opened.
    directory: PathBuf,
    /// Up to which sequence number its tables go, and its logs if RocksDB read them.
    reached: u64,
    logs: Logs,
}

/// What was read of the logs in the queue's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Logs {
    /// What RocksDB makes of them.
    Engine,
    Whole,
}

impl Salvage {
    /// Opens the queue in `directory`, which must be held, and changes nothing in it.
    pub(super) fn open(directory: &Path) -> Result<Self> {
        process::prepare(directory)?;
        let families = families(directory)?;
        let read = |how: &Options| {
            let families = options::salvage_families(&families);
            process::starting_threads(directory, || {
                DB::open_cf_descriptors_read_only(how, directory, families, false)
            })?
            .map_err(|status| failure::failure("read the queue", directory, &status))
        };
        let db = match read(&options::salvage(directory)) {
            // Behind the damage may be what an opening has dropped: later logs contradict that.
            Err(error) if error.kind() == ErrorKind::Corrupt => {
                read(&options::salvage_up_to_damage(directory))?
            }
            outcome => outcome?,
        };
        Ok(Self {
            reached: db.latest_sequence_number(),
            db,
            directory: directory.to_owned(),
            logs: Logs::Engine,
        })
    }

    /// Fails as an opening of the queue in `directory` would, and changes nothing in it.
    pub(super) fn try_opening(directory: &Path) -> Result<()> {
        process::prepare(directory)?;
        let families = options::salvage_families(&families(directory)?);
        let how = options::passive(directory);
        process::starting_threads(directory, || {
            DB::open_cf_descriptors_read_only(&how, directory, families, false)
        })?
        .map_err(|status| failure::failure("open the queue", directory, &status))
        .map(drop)
    }

    /// The queue in `directory` as it is in `db`, which has its tables, of which the last change
    /// has the number `reached`, and everything that its logs hold.
    pub(super) fn of_fragments(db: DB, directory: &Path, reached: u64) -> Self {
        Self {
            db,
            directory: directory.to_owned(),
            reached,
            logs: Logs::Whole,
        }
    }

    /// Visits every chunk that can be read and begins at `from` or later.
    pub(crate) fn visit(
        &self,
        from: u64,
        visitor: &mut dyn FnMut(Piece<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut at = Some(from);
        while let Some(from) = at {
            at = match self.run(from, visitor)? {
                None => None,
                Some((unreadable, error)) => {
                    visitor(Piece::Unreadable(unreadable, error))?;
                    self.behind(unreadable)?
                }
            };
        }
        Ok(())
    }

    /// Visits chunks up to the end, or up to the place behind the last one that can be read.
    fn run(
        &self,
        from: u64,
        visitor: &mut dyn FnMut(Piece<'_>) -> Result<()>,
    ) -> Result<Option<(u64, Error)>> {
        let mut how = ReadOptions::default();
        how.set_iterate_lower_bound(chunks::key(from));
        let mut rows = self.db.raw_iterator_cf_opt(&self.family(DATA)?, how);
        let mut reached = from;
        rows.seek(chunks::key(from));
        while let Some((key, value)) = rows.item() {
            if let Some(first) = chunks::position(key) {
                visitor(Piece::Chunk(first, value))?;
                reached = first.saturating_add(1);
            }
            rows.next();
        }
        let status = rows.status();
        Ok(status
            .err()
            .map(|status| (reached, self.failure("read chunks", &status))))
    }

    /// The first position behind the bad block, or the bad table, that holds `position`.
    fn behind(&self, position: u64) -> Result<Option<u64>> {
        let ends = self.table_ends()?;
        let Some(&last) = ends.last().filter(|last| **last > position) else {
            return Ok(None);
        };
        let table_end = ends.iter().copied().find(|end| *end > position);
        let mut high = table_end.unwrap_or(last);
        if self.bytes(position, high)? == 0 {
            return Ok(Some(high));
        }
        let mut low = position;
        while high.saturating_sub(low) > 1 {
            let middle = low.midpoint(high);
            if self.bytes(position, middle)? > 0 {
                high = middle;
            } else {
                low = middle;
            }
        }
        Ok(Some(high))
    }

    /// Where the tables of chunks end, in order.
    fn table_ends(&self) -> Result<Vec<u64>> {
        let files = self
            .db
            .live_files()
            .map_err(|status| self.failure("list tables", &status))?;
        let mut ends: Vec<u64> = files
            .iter()
            .filter(|file| file.column_family_name == DATA)
            .filter_map(|file| chunks::position(file.end_key.as_deref()?))
            .map(|last| last.saturating_add(1))
            .collect();
        ends.sort_unstable();
        Ok(ends)
    }

    /// How many bytes of blocks lie between two positions, by the indexes of the tables.
    fn bytes(&self, from: u64, to: u64) -> Result<u64> {
        let (from, to) = (chunks::key(from), chunks::key(to));
        let range = [Range::new(&from, &to)];
        let sizes = self
            .db
            .get_approximate_sizes_cf(&self.family(DATA)?, &range)
            .map_err(|status| self.failure("measure tables", &status))?;
        Ok(sizes.first().copied().unwrap_or(0))
    }

    pub(crate) fn get(&self, records: Records, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.db
            .get_cf(&self.family(name(records))?, key)
            .map_err(|status| self.failure("read a record", &status))
    }

    /// All records whose keys begin with `prefix`, up to the first that cannot be read; and why.
    pub(crate) fn scan(
        &self,
        records: Records,
        prefix: &[u8],
    ) -> Result<(Vec<Row>, Option<Error>)> {
        let mut found = Vec::new();
        let mut rows = self.db.raw_iterator_cf(&self.family(name(records))?);
        rows.seek(prefix);
        while let Some((key, value)) = rows.item().filter(|(key, _)| key.starts_with(prefix)) {
            found.push((key.to_vec(), value.to_vec()));
            rows.next();
        }
        let status = rows.status().err();
        Ok((
            found,
            status.map(|status| self.failure("read records", &status)),
        ))
    }

    /// The chunks in logs that earlier openings have dropped, the oldest log first.
    pub(crate) fn visit_lost(
        &self,
        visitor: &mut dyn FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let refusal = |error: std::io::Error| {
            failure::refusal("read a log that was set aside", &self.directory, &error)
        };
        let mut outcome = Ok(());
        for directory in aside::lost(&self.directory).map_err(refusal)? {
            let judged = aside::reached(&directory);
            let reached = judged.unwrap_or(self.reached);
            for (_, file) in wal::files(&directory).map_err(refusal)? {
                if judged.is_none() && self.has_read_whole(&file) {
                    continue;
                }
                wal::read(&file, Detail::Whole, &mut |piece| {
                    if let wal::Piece::Record(record) = piece
                        && record.sequence() > reached
                        && outcome.is_ok()
                    {
                        outcome = visit_chunks(record.bytes, visitor);
                    }
                })
                .map_err(refusal)?;
            }
        }
        outcome
    }

    /// Whether nothing of this log, which an opening was watching, can have been dropped: it still
    /// is in its place too, and was read there behind any damage.
    fn has_read_whole(&self, log: &Path) -> bool {
        let in_place = log.file_name().map(|name| self.directory.join(name));
        self.logs == Logs::Whole && in_place.is_some_and(|log| log.exists())
    }

    fn family(&self, name: &str) -> Result<&ColumnFamily> {
        self.db.cf_handle(name).ok_or_else(|| {
            Error::corrupt(format!("The queue has lost its column family {name}"))
                .at(&self.directory)
        })
    }

    fn failure(&self, what: &str, status: &rust_rocksdb::Error) -> Error {
        failure::failure(what, &self.directory, status)
    }
}

/// The families of the queue in `directory`, if none is missing.
fn families(directory: &Path) -> Result<Vec<String>> {
    let families = survey::families(directory)?;
    endless::check_logs(directory)?;
    let is_missing = |name: &&&str| !families.iter().any(|family| family == **name);
    match [DATA, SYSTEM, READER].iter().find(is_missing) {
        None => Ok(families),
        Some(name) => Err(failure::explain(
            ErrorKind::Corrupt,
            "read the queue",
            directory,
            &format!("the table of contents lacks {name}"),
        )),
    }
}

fn visit_chunks(record: &[u8], visitor: &mut dyn FnMut(u64, &[u8]) -> Result<()>) -> Result<()> {
    for change in changes::of(record) {
        if let Change::Put { family, key, value } = change
            && family == DATA_ID
            && let Some(position) = chunks::position(key)
        {
            visitor(position, value)?;
        }
    }
    Ok(())
}

fn name(records: Records) -> &'static str {
    match records {
        Records::System => SYSTEM,
        Records::Reader => READER,
    }
}
