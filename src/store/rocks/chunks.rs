//! Chunks in the family `data.2`, keyed by the position of their first item.

use rust_rocksdb::ReadOptions;

use super::engine::Engine;
use super::failure;
use super::native::Rows;
use crate::error::{Error, ErrorKind, Result};
use crate::store::{Records, Visit, Visitor};

/// RocksDB's order of keys is the order of positions.
pub(super) fn key(position: u64) -> [u8; 8] {
    position.to_be_bytes()
}

/// A bound above every chunk that starts below `end` and below every other one. It differs from
/// the key of `end`, so that a table that ends here does not touch the table that begins there.
pub(super) fn after(end: u64) -> Vec<u8> {
    match end.checked_sub(1) {
        Some(last) => [&key(last)[..], &[0]].concat(),
        None => Vec::new(),
    }
}

/// The position in a key or in a bound made by [`after`].
pub(super) fn position(key: &[u8]) -> Option<u64> {
    key.first_chunk().copied().map(u64::from_be_bytes)
}

/// See [`Store::visit_chunks`](crate::store::Store::visit_chunks).
pub(super) fn visit(
    engine: &Engine,
    floor: u64,
    position: u64,
    visitor: &mut Visitor<'_>,
) -> Result<()> {
    let mut rows = Rows::of(engine.db(), engine.chunks(), key(floor));
    find(engine, &mut rows, floor, position)?;
    while let Some((key, value)) = rows.row() {
        let first = self::position(key).ok_or_else(|| unknown_key(engine))?;
        if visitor(first, value)? == Visit::Stop {
            return Ok(());
        }
        rows.next().map_err(|error| explain(engine, error))?;
    }
    Ok(())
}

/// Goes to the last chunk at `position` or before it, or to the first one.
fn find(engine: &Engine, rows: &mut Rows<'_>, floor: u64, position: u64) -> Result<()> {
    // Mostly a chunk starts there. To look backwards RocksDB reads the block before as well.
    let mut find = || {
        let is_there = match rows.seek(&key(position)) {
            Ok(_) => rows.row().is_some_and(|(found, _)| found == key(position)),
            Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error),
            // Damage behind the position is met by those who come to it.
            Err(_) => false,
        };
        if !is_there && !rows.seek_for_prev(&key(position))? {
            rows.seek(&key(floor))?;
        }
        Ok(())
    };
    find().map_err(|error| explain(engine, error))
}

/// The error of a read with what was read, and where.
fn explain(engine: &Engine, error: Error) -> Error {
    match error.kind() {
        ErrorKind::OutOfMemory => error.at(engine.path()),
        _ => failure::of_status("read chunks", engine.path(), &error.to_string()),
    }
}

/// Where the last chunk starts.
pub(super) fn last(engine: &Engine) -> Result<Option<u64>> {
    let mut last = None;
    visit(engine, 0, u64::MAX, &mut |first, _| {
        last = Some(first);
        Ok(Visit::Stop)
    })?;
    Ok(last)
}

/// See [`Store::get`](crate::store::Store::get).
pub(super) fn get(engine: &Engine, records: Records, key: &[u8]) -> Result<Option<Vec<u8>>> {
    engine
        .db()
        .get_cf(&engine.records(records), key)
        .map_err(|status| engine.failure("read a record", &status))
}

/// See [`Store::scan`](crate::store::Store::scan).
pub(super) fn scan(
    engine: &Engine,
    records: Records,
    prefix: &[u8],
) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut how = ReadOptions::default();
    how.set_iterate_lower_bound(prefix);
    let family = engine.records(records);
    let mut rows = engine.db().raw_iterator_cf_opt(&family, how);
    let mut found = Vec::new();
    rows.seek(prefix);
    while let Some((key, value)) = rows.item() {
        if !key.starts_with(prefix) {
            break;
        }
        found.push((key.to_vec(), value.to_vec()));
        rows.next();
    }
    rows.status()
        .map_err(|status| engine.failure("read records", &status))?;
    Ok(found)
}

fn unknown_key(engine: &Engine) -> Error {
    Error::corrupt("The queue's chunks have a key that is no position").at(engine.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_lies_between_the_chunks() {
        let bound = after(256);
        assert!(bound.as_slice() > &key(255)[..]);
        assert!(bound.as_slice() < &key(256)[..]);
        assert_eq!(position(&bound), Some(255));
        assert!(after(0).is_empty());
        assert_eq!(position(b"short"), None);
    }
}
