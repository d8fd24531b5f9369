//! Writing and reading in one measurement; a call is a push and a pop.

use std::path::Path;

use crate::fifo::Fifo;
use crate::work::{Shape, Work};

/// First all pushes, then all pops: the queue grows and is drained.
pub struct WriteThenRead(Fifo);

impl Work for WriteThenRead {
    const WHO: &'static str = "rocksq";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Fifo::open(path, shape))
    }

    fn call(&mut self) {
        self.round(1);
    }

    fn round(&mut self, calls: u64) {
        (0..calls).for_each(|_| self.0.push());
        (0..calls).for_each(|_| self.0.pop());
    }

    fn finish(&mut self, _calls: u64) {
        self.0.assert_empty();
    }
}

/// A pop after each push: the consumer keeps up.
pub struct Mixed(Fifo);

impl Work for Mixed {
    const WHO: &'static str = "rocksq";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Fifo::open(path, shape))
    }

    fn call(&mut self) {
        self.0.push();
        self.0.pop();
    }

    fn finish(&mut self, _calls: u64) {
        self.0.assert_empty();
    }
}
