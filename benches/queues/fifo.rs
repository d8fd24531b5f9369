//! Pushing into and popping from the persistent queue.

use std::path::Path;

use rocksq::blocking::PersistentQueueWithCapacity;

use crate::work::{Shape, Work};

/// A persistent queue, and the items of one call.
pub struct Fifo {
    pub queue: PersistentQueueWithCapacity,
    pub batch: Vec<Vec<u8>>,
}

impl Fifo {
    pub fn open(path: &Path, shape: Shape) -> Self {
        Self {
            queue: PersistentQueueWithCapacity::new(path, u64::MAX).unwrap(),
            batch: shape.batch(),
        }
    }

    pub fn push(&self) {
        self.queue.push(&self.batch).unwrap();
    }

    pub fn pop(&self) {
        let items = self.queue.pop(self.batch.len() as u64).unwrap();
        assert_eq!(items.len(), self.batch.len());
    }

    pub fn assert_empty(&self) {
        assert!(self.queue.is_empty().unwrap());
    }
}

/// `push`.
pub struct Push(Fifo);

impl Work for Push {
    const WHO: &'static str = "rocksq";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Fifo::open(path, shape))
    }

    fn call(&mut self) {
        self.0.push();
    }

    fn finish(&mut self, calls: u64) {
        for _ in 0..calls {
            assert_eq!(
                self.0.queue.pop(self.0.batch.len() as u64).unwrap(),
                self.0.batch
            );
        }
        self.0.assert_empty();
    }
}

/// `pop`, of a backlog.
pub struct Pop(Fifo);

impl Work for Pop {
    const WHO: &'static str = "rocksq";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Fifo::open(path, shape))
    }

    fn prepare(&mut self, calls: u64) {
        for _ in 0..calls {
            self.0.push();
        }
    }

    fn call(&mut self) {
        self.0.pop();
    }

    fn finish(&mut self, _calls: u64) {
        self.0.assert_empty();
    }
}
