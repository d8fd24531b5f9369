//! A queue without its table of contents: what its tables and logs hold by themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rust_rocksdb::{ColumnFamily, DB, WriteBatch};

use super::kind::{DATA, DATA_ID, Kind, READER, READER_ID, SYSTEM, SYSTEM_ID};
use super::salvage::Salvage;
use super::{aside, failure, names, options, process};
use crate::error::Result;
use crate::events::{Event, Level};
use crate::store::files::changes::{self, Change};
use crate::store::files::wal::{self, Detail, Piece};
use crate::store::files::{contents, tables as table_files};

/// Makes a database of what is in `directory`, in `scratch`, which must not be there yet.
pub(super) fn gather(directory: &Path, kind: Kind, scratch: &Path) -> Result<Salvage> {
    let refusal = |what: &str, error: io::Error| failure::refusal(what, directory, &error);
    link_tables(directory, scratch).map_err(|error| refusal("link tables", error))?;
    // Tables that it cannot read it leaves out; those that are there are a gain.
    if let Err(status) = process::starting_threads(directory, || {
        DB::repair(&options::salvage(directory), scratch)
    })? {
        Event::at(Level::Warn).about(directory).post(status);
    }
    let db = open(directory, kind, scratch)?;
    let reached = db.latest_sequence_number();
    replay(directory, &db).map_err(|error| refusal("read the log", error))??;
    Ok(Salvage::of_fragments(db, directory, reached))
}

/// What has the name of a table in `directory`.
pub(super) fn tables(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names = names::list(directory)?;
    let is_table = |name: &str| name.ends_with(".sst");
    names.retain(|name| names::is_ours(name) && name.to_str().is_some_and(is_table));
    names.sort_unstable();
    Ok(names.iter().map(|name| directory.join(name)).collect())
}

/// Leaves out the tables of other queues: those that the table of contents, if it can be read,
/// knows as written by somebody else.
fn link_tables(directory: &Path, scratch: &Path) -> io::Result<()> {
    fs::create_dir(scratch)?;
    let sessions = contents::sessions(directory)?;
    let is_foreign = |table: &Path| {
        let number = table
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse().ok());
        let expected = number.and_then(|number: u64| sessions.get(&number));
        let session = expected.and_then(|_| table_files::session(table));
        session.is_some() && session.as_ref() != expected
    };
    for table in tables(directory)? {
        if table.is_file() && !is_foreign(&table) {
            let name = table.file_name().unwrap_or_default();
            aside::link_file(&table, &scratch.join(name))?;
        }
    }
    Ok(())
}

fn open(directory: &Path, kind: Kind, scratch: &Path) -> Result<DB> {
    let mut database = options::salvage(directory);
    database.create_if_missing(true);
    database.create_missing_column_families(true);
    let names = kind.families().map(str::to_owned);
    process::starting_threads(scratch, || {
        DB::open_cf_descriptors(&database, scratch, options::salvage_families(&names))
    })?
    .map_err(|status| failure::failure("read the queue's tables", directory, &status))
}

/// Brings what the logs have into the tables' database, but for what an opening has dropped of
/// them: later changes have taken its numbers and its places.
fn replay(directory: &Path, db: &DB) -> io::Result<Result<()>> {
    let judged = aside::judged(directory)?;
    let mut outcome = Ok(());
    for (_, log) in wal::files(directory)? {
        let reached = judged.reached(&log);
        wal::read(&log, Detail::Whole, &mut |piece| {
            if let Piece::Record(record) = piece
                && record.sequence() <= reached
                && outcome.is_ok()
            {
                outcome = replay_record(directory, db, record.bytes);
            }
        })?;
    }
    Ok(outcome)
}

fn replay_record(directory: &Path, db: &DB, record: &[u8]) -> Result<()> {
    let mut batch = WriteBatch::default();
    for change in changes::of(record) {
        match change {
            Change::Put { family, key, value } => {
                if let Some(family) = family_of(db, family) {
                    batch.put_cf(&family, key, value);
                }
            }
            Change::Delete { family, key } => {
                if let Some(family) = family_of(db, family) {
                    batch.delete_cf(&family, key);
                }
            }
            Change::Other => {}
        }
    }
    db.write(&batch)
        .map_err(|status| failure::failure("bring back the log", directory, &status))
}

fn family_of(db: &DB, id: u32) -> Option<&ColumnFamily> {
    let name = match id {
        DATA_ID => DATA,
        SYSTEM_ID => SYSTEM,
        READER_ID => READER,
        _ => return None,
    };
    db.cf_handle(name)
}
