//! Consuming at least once: `read`, then `commit`.

use std::path::Path;

use rocksq::Wait;

use crate::fifo::Fifo;
use crate::work::{Shape, Work};

/// `read` and `commit`, of a backlog.
pub struct ReadAndCommit(Fifo);

impl Work for ReadAndCommit {
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
        let wanted = self.0.batch.len();
        let batch = self.0.queue.read(wanted as u64, Wait::NEVER).unwrap();
        assert_eq!(batch.items().len(), wanted);
        self.0.queue.commit(&batch).unwrap();
    }

    fn finish(&mut self, _calls: u64) {
        self.0.assert_empty();
    }
}
