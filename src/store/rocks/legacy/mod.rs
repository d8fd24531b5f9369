//! Queues of rocksq 0.3.0, and their conversion.
//!
//! | file | job |
//! |---|---|
//! | `format` | keys, counters and label records, byte by byte |
//! | `old` | an old database, opened without changing it |
//! | `census` | which items are there |
//! | `labels` | where each label stands among them |
//! | `source` | the items in the order of the queue |
//! | `switch` | exchanging the old files for the new ones |
//!
//! A conversion reads everything once, which finds damage before anything is changed. Then it
//! builds the new database in a directory inside the old one, and last exchanges the files. Until
//! the exchange the old database is whole, and a conversion that was interrupted starts anew; from
//! then on the new one is, and the next open finishes the exchange.

use std::fs;
use std::path::Path;
use std::time::Duration;

mod census;
pub(crate) mod format;
mod labels;
mod old;
mod source;
mod switch;
#[cfg(test)]
mod tests;

use self::census::Census;
use self::old::OldQueue;
use self::source::OldItems;
pub(super) use self::switch::interrupted;
use super::claim::Patience;
use super::hold::Hold;
use super::kind::Kind;
use super::names::BUILDING;
use super::survey::{self, Found};
use super::{RocksStore, disk, failure, process};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Migrated, Source, Store};

/// A conversion that failed with less room than RocksDB writes at once failed for lack of it.
const MARGIN: u64 = 32 << 20;

/// Writes what a source holds to an empty store.
pub(crate) type Import<'a> = dyn FnMut(&RocksStore, &mut dyn Source) -> Result<()> + 'a;

/// Told how many items are done, of how many. Its error ends the conversion.
pub(crate) type Report<'a> = dyn FnMut(u64, u64) -> Result<()> + 'a;

/// The kind of the 0.3.0 queue at `path`, or of one whose conversion was interrupted; `None` for
/// a queue of this format.
pub(crate) fn kind_at(path: &Path) -> Result<Option<Kind>> {
    let found = match survey::survey(path, Kind::Fifo) {
        Err(error) if error.kind() == ErrorKind::WrongKind => {
            let found = survey::survey(path, Kind::Mpmc).map_err(|_| error)?;
            (found, Kind::Mpmc)
        }
        found => (found?, Kind::Fifo),
    };
    match found {
        (Found::Legacy, kind) => Ok(Some(kind)),
        (Found::Nothing | Found::Empty, _) => Err(nothing(path)),
        _ => Ok(None),
    }
}

/// Whether what is at `path`, which must be held, holds what a 0.3.0 queue of `kind` does. A FIFO queue
/// has to be read for that: it has no other family than every database of RocksDB.
pub(super) fn holds_items(path: &Path, kind: Kind) -> Result<bool> {
    if kind == Kind::Mpmc || switch::interrupted(path)?.is_some() {
        return Ok(true);
    }
    let read = OldQueue::open(path, kind).and_then(|old| Census::take(&old, &mut |_, _| Ok(())));
    match read {
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok(false),
        read => read.map(|_| true),
    }
}

/// Converts the 0.3.0 queue of `kind` at `path`, or finishes a conversion; `None` when there is
/// none. Waits up to `open_timeout` for another holder.
///
/// A failure leaves the old queue as it was, or a conversion that the next call finishes.
pub(crate) fn convert(
    path: &Path,
    kind: Kind,
    open_timeout: Option<Duration>,
    import: &mut Import<'_>,
    report: &mut Report<'_>,
) -> Result<Option<Migrated>> {
    process::prepare(path)?;
    let Some(hold) = Hold::take_legacy(path, kind, Patience::new(open_timeout))? else {
        return Ok(None);
    };
    let directory = hold.directory();
    if switch::interrupted(directory)?.is_none() {
        rebuild(directory, kind, import, report)?;
    }
    switch::finish(directory)
}

/// Builds the new database from the old one, and begins the exchange.
///
/// What an earlier conversion has built may go only when the old database is known to be whole.
fn rebuild(
    directory: &Path,
    kind: Kind,
    import: &mut Import<'_>,
    report: &mut Report<'_>,
) -> Result<()> {
    let building = directory.join(BUILDING);
    let refused = |error| failure::refusal("convert the queue", directory, &error);
    let old = OldQueue::open(directory, kind)?;
    let mut items = OldItems::find(&old, report)?;
    clear(&building).map_err(refused)?;
    if !disk::has_room(directory, items.bytes()) {
        return Err(no_room(directory, items.bytes()));
    }
    let mut outcome = build(&building, kind, &mut items, import)
        .and_then(|()| switch::begin(directory, kind, items.outcome()));
    // An exchange may have begun although it failed to say so.
    if outcome.is_err() && switch::interrupted(directory)?.is_none() {
        // RocksDB may have met the full disk in the background, and say no more than that it stopped.
        if !disk::has_room(directory, MARGIN) {
            outcome = Err(no_room(directory, items.bytes()));
        }
        clear(&building).map_err(refused)?;
    }
    outcome
}

/// Builds the new database. When this returns it is whole and durable.
fn build(
    building: &Path,
    kind: Kind,
    items: &mut OldItems<'_, '_>,
    import: &mut Import<'_>,
) -> Result<()> {
    let store = RocksStore::create_in_bulk(building, kind)?;
    import(&store, items)?;
    store.close()
}

fn clear(building: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(building) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

fn no_room(directory: &Path, bytes: u64) -> Error {
    let message = format!(
        "Cannot convert the queue of rocksq 0.3.0 at {}: the disk needs room for its items once \
         more, {bytes} bytes; nothing was changed, make room and call again",
        directory.display()
    );
    Error::new(ErrorKind::DiskFull, message).at(directory)
}

fn nothing(path: &Path) -> Error {
    let message = format!("Cannot migrate {}: there is no queue", path.display());
    Error::new(ErrorKind::Path, message).at(path)
}

/// An error that says that the old data are damaged, and what is left to do.
fn damaged(path: &Path, why: &str) -> Error {
    let message = format!(
        "Cannot convert the queue of rocksq 0.3.0 at {}: it is damaged: {why}; nothing was \
         changed, restore it from a copy, or take what rocksq 0.3.0 can still read",
        path.display()
    );
    Error::corrupt(message).at(path)
}
