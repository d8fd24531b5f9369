//! Adding to and reading from the MPMC queue.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rocksq::mpmc::{MpmcQueue, StartPosition};

use crate::work::{Shape, Work};

const LABEL: &str = "label";

/// An MPMC queue, and the items of one call.
///
/// Nothing leaves such a queue before its time, so each round has a new one.
struct Mpmc {
    path: PathBuf,
    queue: MpmcQueue,
    batch: Vec<Vec<u8>>,
}

impl Mpmc {
    fn open(path: &Path, shape: Shape) -> Self {
        Self {
            path: path.to_owned(),
            queue: MpmcQueue::new(path, Duration::ZERO).unwrap(),
            batch: shape.batch(),
        }
    }

    fn add(&self) {
        self.queue.add(&self.batch).unwrap();
    }

    fn next(&self) {
        let wanted = self.batch.len();
        let read = self.queue.next(LABEL, StartPosition::Oldest, wanted as u64);
        assert_eq!(read.unwrap().items.len(), wanted);
    }

    fn renew(&mut self) {
        self.queue.close().unwrap();
        rocksq::blocking::remove_mpmc_queue(&self.path).unwrap();
        self.queue = MpmcQueue::new(&self.path, Duration::ZERO).unwrap();
    }
}

/// `add`.
pub struct Add(Mpmc);

impl Work for Add {
    const WHO: &'static str = "rocksq";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Mpmc::open(path, shape))
    }

    fn call(&mut self) {
        self.0.add();
    }

    fn finish(&mut self, calls: u64) {
        assert_eq!(
            self.0.queue.len().unwrap(),
            calls * self.0.batch.len() as u64
        );
        self.0.renew();
    }
}

/// `next`, of a backlog.
pub struct Next(Mpmc);

impl Work for Next {
    const WHO: &'static str = "rocksq";

    fn open(path: &Path, shape: Shape) -> Self {
        Self(Mpmc::open(path, shape))
    }

    fn prepare(&mut self, calls: u64) {
        for _ in 0..calls {
            self.0.add();
        }
    }

    fn call(&mut self) {
        self.0.next();
    }

    fn finish(&mut self, _calls: u64) {
        let left = self.0.queue.next(LABEL, StartPosition::Oldest, 1).unwrap();
        assert!(left.items.is_empty());
        self.0.renew();
    }
}
