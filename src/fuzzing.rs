//! What the fuzz targets call: readers of bytes that anybody may have changed. Each takes any bytes,
//! and fails by panicking alone.

use crate::log::chunk::Chunk;
use crate::log::cursor::Cursor;
use crate::log::records::{Meta, Trim, label_of};
#[cfg(any(feature = "rocksdb", feature = "fuzzing"))]
use crate::store::files::{changes, contents, wal};
#[cfg(feature = "rocksdb")]
use crate::store::rocks::legacy_format::{
    RING, Reader, after, before, distance, number, split_time,
};

/// A stored chunk. What it gives out is within it, and counts its own bytes.
pub fn chunk(bytes: &[u8]) {
    let (first, bytes) = bytes.split_first_chunk().unwrap_or((&[0; 8], bytes));
    let Ok(chunk) = Chunk::decode(u64::from_le_bytes(*first), bytes) else {
        return;
    };
    let items = chunk.first..chunk.next();
    let total: usize = items.map(|position| chunk.item(position).len()).sum();
    assert_eq!(total as u64, chunk.payload(), "items are not the payload");
    let push = chunk.header.end_of_push(chunk.end());
    assert!(
        push.position >= chunk.next(),
        "a push ends within its chunk"
    );
    let again = Chunk::decode(chunk.first, chunk.bytes()).map(|chunk| chunk.header);
    assert_eq!(again.ok(), Some(chunk.header), "a header has changed");
}

/// A cursor record and a label key. A cursor that is accepted survives its record.
pub fn cursor(bytes: &[u8]) {
    let _label = label_of(bytes);
    if let Ok(cursor) = Cursor::decode(bytes) {
        let again = cursor.encode().and_then(|bytes| Cursor::decode(&bytes));
        assert_eq!(again.ok(), Some(cursor), "a cursor has changed");
    }
}

/// The records of a log about itself.
pub fn records(bytes: &[u8]) {
    if let Ok(meta) = Meta::decode(bytes) {
        assert_eq!(Meta::decode(&meta.encode()).ok(), Some(meta));
    }
    if let Ok(trim) = Trim::decode(bytes) {
        assert_eq!(Trim::decode(&trim.encode()).ok(), Some(trim));
    }
}

/// A log file and a table of contents: read to their ends, whole records alone.
#[cfg(any(feature = "rocksdb", feature = "fuzzing"))]
pub fn files(bytes: &[u8]) {
    let mut seen = 0;
    let read = wal::read_from(&mut &*bytes, wal::Detail::Whole, &mut |piece| {
        if let wal::Piece::Record(record) = piece {
            seen += record.bytes.len();
            changes::of(record.bytes).for_each(drop);
        }
    });
    assert!(read.is_ok() && seen <= bytes.len(), "more than there is");
    assert!(contents::read_from(&mut &*bytes).is_ok());
}

/// Keys and values of rocksq 0.3.0: two indexes, and what stands behind them. Steps on its ring lead back.
#[cfg(feature = "rocksdb")]
pub fn legacy(bytes: &[u8]) {
    let _reader = Reader::decode(bytes);
    if let Some((value, _time)) = split_time(bytes) {
        assert_eq!(value.len() + 4, bytes.len(), "a value has another length");
    }
    let mut indexes = bytes.chunks_exact(8).map_while(number).map(|n| n % RING);
    if let (Some(from), Some(to)) = (indexes.next(), indexes.next()) {
        let steps = distance(from, to);
        assert_eq!(after(from, steps), to, "{steps} steps lead elsewhere");
        assert_eq!(before(to, steps), from, "{steps} steps lead elsewhere");
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    /// Every input that a target was once run on, or that is typical.
    fn replay(target: &str, run: fn(&[u8])) {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        let inputs: Vec<_> = fs::read_dir(corpus.join(target)).unwrap().collect();
        assert!(!inputs.is_empty());
        for input in inputs {
            run(&fs::read(input.unwrap().path()).unwrap());
        }
    }

    #[test]
    fn the_corpus_of_chunks_is_read() {
        replay("chunk", super::chunk);
    }

    #[test]
    fn the_corpus_of_cursors_is_read() {
        replay("cursor", super::cursor);
    }

    #[test]
    fn the_corpus_of_records_is_read() {
        replay("records", super::records);
    }

    #[cfg(feature = "rocksdb")]
    #[test]
    fn the_corpus_of_files_is_read() {
        replay("files", super::files);
    }

    #[cfg(feature = "rocksdb")]
    #[test]
    fn the_corpus_of_the_old_format_is_read() {
        replay("legacy", super::legacy);
    }
}
