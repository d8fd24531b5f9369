//! The least that RocksDB itself would take: one record for each call, and a cursor.

use std::path::Path;

use rust_rocksdb::{DB, DBCompressionType, Options};

use crate::work::{Shape, Work};

const CURSOR: &[u8] = b"cursor";

/// A database whose records lie between two positions.
pub struct Floor {
    db: DB,
    record: Vec<u8>,
    first: u64,
    next: u64,
}

impl Floor {
    fn open(path: &Path, shape: Shape) -> Self {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.set_compression_type(DBCompressionType::None);
        Self {
            db: DB::open(&options, path).unwrap(),
            record: shape.batch().concat(),
            first: 0,
            next: 0,
        }
    }

    fn put(&mut self) {
        self.db.put(self.next.to_be_bytes(), &self.record).unwrap();
        self.next += 1;
    }

    fn take(&mut self) {
        let record = self.db.get(self.first.to_be_bytes()).unwrap().unwrap();
        assert_eq!(record.len(), self.record.len());
        self.first += 1;
        self.db.put(CURSOR, self.first.to_be_bytes()).unwrap();
    }

    /// Frees what the round has written, as far as RocksDB does it by itself.
    fn clear(&mut self) {
        let (from, to) = (0_u64.to_be_bytes(), self.next.to_be_bytes());
        self.db.delete_file_in_range(from, to).unwrap();
        self.first = self.next;
    }
}

/// A record put for each call.
pub struct Put(Floor);

impl Work for Put {
    const WHO: &'static str = "rocksdb";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Floor::open(path, shape))
    }

    fn call(&mut self) {
        self.0.put();
    }

    fn finish(&mut self, calls: u64) {
        assert_eq!(self.0.next - self.0.first, calls);
        self.0.clear();
    }
}

/// A record got and a cursor put for each call, of a backlog.
pub struct Take(Floor);

impl Work for Take {
    const WHO: &'static str = "rocksdb";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Floor::open(path, shape))
    }

    fn prepare(&mut self, calls: u64) {
        for _ in 0..calls {
            self.0.put();
        }
    }

    fn call(&mut self) {
        self.0.take();
    }

    fn finish(&mut self, _calls: u64) {
        assert_eq!(self.0.first, self.0.next);
        self.0.clear();
    }
}

/// First all puts, then all takes.
pub struct WriteThenRead(Floor);

impl Work for WriteThenRead {
    const WHO: &'static str = "rocksdb";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Floor::open(path, shape))
    }

    fn call(&mut self) {
        self.round(1);
    }

    fn round(&mut self, calls: u64) {
        (0..calls).for_each(|_| self.0.put());
        (0..calls).for_each(|_| self.0.take());
    }

    fn finish(&mut self, _calls: u64) {
        self.0.clear();
    }
}

/// A take after each put.
pub struct Mixed(Floor);

impl Work for Mixed {
    const WHO: &'static str = "rocksdb";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Floor::open(path, shape))
    }

    fn call(&mut self) {
        self.0.put();
        self.0.take();
    }

    fn finish(&mut self, _calls: u64) {
        self.0.clear();
    }
}
