//! What the tests share.

#[cfg(target_os = "linux")]
pub mod disk;
pub mod figures;
pub mod fixtures;
#[cfg(target_os = "linux")]
pub mod hearing;
#[cfg(target_os = "linux")]
pub mod interpose;
pub mod measured;
pub mod processes;
pub mod random;
pub mod tree;
pub mod waiting;

use std::fmt::Debug;
use std::path::PathBuf;
use std::time::Duration;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{Durability, ErrorKind, MpmcOptions, OnFull, QueueOptions, Result};

pub const LEVELS: [Durability; 3] = [
    Durability::Buffered,
    Durability::Written,
    Durability::Synced,
];

pub const KIB: u64 = 1 << 10;
pub const MIB: u64 = 1 << 20;

/// A capacity that no test reaches.
pub const ROOMY: u64 = 1_000_000_000;

/// A directory of its own for the queues of one test.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// On a file system in memory, if there is one: for tests that open many queues and cut no
    /// power.
    pub fn in_memory() -> Self {
        match tempfile::tempdir_in("/dev/shm") {
            Ok(directory) => Self(directory),
            Err(_) => Self::new(),
        }
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Where the one queue of most tests lies.
    pub fn queue(&self) -> PathBuf {
        self.at("queue")
    }

    pub fn fifo(&self) -> Fifo {
        Fifo::new(self.queue(), ROOMY).unwrap()
    }

    pub fn mpmc(&self) -> MpmcQueue {
        MpmcQueue::new(self.queue(), Duration::ZERO).unwrap()
    }

    pub fn fifo_at(&self, level: Durability) -> Fifo {
        let mut options = QueueOptions::default();
        options.durability = level;
        Fifo::open(self.queue(), options).unwrap()
    }

    /// An MPMC queue beside the one queue, whose items live for `ttl`.
    pub fn mpmc_at(&self, level: Durability, ttl: Duration) -> MpmcQueue {
        let mut options = MpmcOptions::default();
        (options.durability, options.ttl) = (level, Some(ttl));
        MpmcQueue::open(self.at("mpmc"), options).unwrap()
    }

    /// An MPMC queue that drops its oldest items to keep to `max_elements`.
    pub fn dropping(&self, max_elements: u64) -> MpmcQueue {
        let mut options = MpmcOptions::default();
        options.max_elements = Some(max_elements);
        options.on_full = OnFull::DropOldest;
        MpmcQueue::open(self.queue(), options).unwrap()
    }
}

/// The kind of the error that must have come.
pub fn kind<T: Debug>(result: Result<T>) -> ErrorKind {
    result.unwrap_err().kind()
}

/// Numbered items, so that order and identity show.
pub fn numbered(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|n| n.to_string()).collect()
}

/// The numbers of such items.
pub fn numbers(items: &rocksq::Items) -> Vec<usize> {
    items.iter().map(number).collect()
}

pub fn number(item: &[u8]) -> usize {
    std::str::from_utf8(item).unwrap().parse().unwrap()
}
