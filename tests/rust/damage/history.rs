//! Queues with a known history, caught as images while they are open, as a crash leaves them.

use std::time::Duration;

use rocksq::StartPosition;
pub use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;

use super::image::Image;
use crate::support::{Home, ROOMY};

/// What was done to a queue, and its files then.
pub struct History {
    pub image: Image,
    /// Items 0 to before this one were pushed.
    pub pushed: usize,
    /// Items 0 to before this one were taken.
    pub taken: usize,
}

/// Item `number`: tells its number and is of a length that depends on it.
pub fn item(number: usize) -> Vec<u8> {
    let mut item = format!("{number}:").into_bytes();
    item.resize(item.len() + number * 37 % 900, b'.');
    item
}

/// The number of an item, if it is exactly as it was pushed.
pub fn number(bytes: &[u8]) -> usize {
    let text = std::str::from_utf8(bytes).unwrap();
    let number = text.split(':').next().unwrap().parse().unwrap();
    assert!(bytes == item(number), "item {number} has changed");
    number
}

pub fn items(from: usize, count: usize) -> Vec<Vec<u8>> {
    (from..from + count).map(item).collect()
}

/// A queue that never was anywhere but in its log.
pub fn in_the_log() -> History {
    let home = Home::new();
    let queue = home.fifo();
    for batch in 0..40 {
        queue.push(&items(batch * 10, 10)).unwrap();
    }
    assert_eq!(queue.pop(35).unwrap().len(), 35);
    queue.push(&items(400, 10)).unwrap();
    History {
        image: Image::settled(&home.queue()),
        pushed: 410,
        taken: 35,
    }
}

/// A queue with several tables and a log: each opening moves the log to tables.
pub fn in_tables() -> History {
    let home = Home::new();
    for session in 0..4 {
        let queue = home.fifo();
        for batch in 0..40 {
            queue.push(&items(session * 400 + batch * 10, 10)).unwrap();
        }
        assert_eq!(queue.pop(20).unwrap().len(), 20);
    }
    let queue = home.fifo();
    queue.push(&items(1600, 100)).unwrap();
    queue.pop(5).unwrap();
    queue.push(&items(1700, 50)).unwrap();
    History {
        image: Image::settled(&home.queue()),
        pushed: 1750,
        taken: 85,
    }
}

/// A queue whose items are all in tables, with nothing in its log since its last opening.
pub fn reopened() -> History {
    let home = Home::new();
    for session in 0..4 {
        let queue = home.fifo();
        queue.push(&items(session * 100, 100)).unwrap();
        assert_eq!(queue.pop(20).unwrap().len(), 20);
        queue.close().unwrap();
    }
    let _open = home.fifo();
    History {
        image: Image::settled(&home.queue()),
        pushed: 400,
        taken: 80,
    }
}

/// Labels at different places: `even` at `taken`, `late` behind it.
pub fn with_labels() -> History {
    let home = Home::new();
    for session in 0..3 {
        let queue = home.mpmc();
        for batch in 0..20 {
            queue.add(&items(session * 200 + batch * 10, 10)).unwrap();
        }
        queue.next("even", StartPosition::Oldest, 30).unwrap();
        queue.next("late", StartPosition::Oldest, 50).unwrap();
    }
    let queue = home.mpmc();
    queue.add(&items(600, 20)).unwrap();
    queue.next("even", StartPosition::Oldest, 10).unwrap();
    History {
        image: Image::settled(&home.queue()),
        pushed: 620,
        taken: 100,
    }
}

pub fn fifo(path: &std::path::Path) -> rocksq::Result<Fifo> {
    Fifo::new(path, ROOMY)
}

pub fn mpmc(path: &std::path::Path) -> rocksq::Result<MpmcQueue> {
    MpmcQueue::new(path, Duration::ZERO)
}
