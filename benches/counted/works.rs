//! The works: what is brought about before the calls are counted, and the call.

use std::path::Path;

use rocksq::StartPosition::Oldest;
use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rocksq::mpmc::MpmcQueue;
use rocksq::{Durability, QueueOptions};
use rust_rocksdb::{DB, DBCompressionType, Options};

/// Calls before those that are counted, so that nothing happens for the first time.
const WARM: u64 = 10;
/// More than a queue keeps of its end in memory.
const BEYOND_THE_TAIL: usize = 2 << 20;
const LABELS: usize = 1_000;

/// A call that was prepared.
pub type Call = Box<dyn FnMut()>;

/// What the first argument can be.
pub const NAMES: [&str; 15] = [
    "rocksdb put 100 x 1",
    "push 100 x 1",
    "push 100 x 100",
    "push 1024 x 1",
    "push 1024 x 100",
    "push 262144 x 1",
    "buffered 100 x 1",
    "synced 1024 x 1",
    "turns 100 x 1",
    "pop 100 x 1",
    "pop 100 x 100",
    "pop 262144 x 1",
    "add 100 x 1",
    "next 100 x 1",
    "next among 1000 labels 100 x 1",
];

/// Brings about what so many calls of `work` need.
pub fn prepare(work: &str, calls: u64, home: &Path) -> Call {
    let (kind, items) = split(work);
    let path = home.join("queue");
    let mut call: Call = match kind {
        "rocksdb put" => bare_put(&path, &items.concat()),
        "push" => push(open(&path), items),
        "buffered" => push(open_at(&path, Durability::Buffered), items),
        "synced" => push(open_at(&path, Durability::Synced), items),
        "turns" => turns(open(&path), items),
        "pop" => pop(&path, items, calls),
        "add" => add(
            MpmcQueue::new(&path, std::time::Duration::ZERO).unwrap(),
            items,
        ),
        "next" => next(&path, items, calls, 1),
        "next among 1000 labels" => next(&path, items, calls, LABELS),
        _ => panic!("there is no such work: {work}"),
    };
    (0..WARM).for_each(|_| call());
    call
}

/// The kind of a work, and the items of one call.
fn split(work: &str) -> (&str, Vec<Vec<u8>>) {
    let words: Vec<&str> = work.rsplitn(4, ' ').collect();
    let [count, _, size, kind] = words.as_slice() else {
        panic!("a work is a kind, a size, an x and a count: {work}");
    };
    let item: Vec<u8> = (0..=u8::MAX).cycle().take(size.parse().unwrap()).collect();
    (kind, vec![item; count.parse().unwrap()])
}

fn open(path: &Path) -> Fifo {
    Fifo::new(path, u64::MAX).unwrap()
}

fn open_at(path: &Path, level: Durability) -> Fifo {
    let mut options = QueueOptions::default();
    options.durability = level;
    Fifo::open(path, options).unwrap()
}

/// The least that RocksDB takes.
fn bare_put(path: &Path, record: &[u8]) -> Call {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_compression_type(DBCompressionType::None);
    let db = DB::open(&options, path).unwrap();
    let record = record.to_vec();
    let mut next = 0u64;
    Box::new(move || {
        db.put(next.to_be_bytes(), &record).unwrap();
        next += 1;
    })
}

fn push(queue: Fifo, items: Vec<Vec<u8>>) -> Call {
    Box::new(move || queue.push(&items).unwrap())
}

/// A push, then a pop of the same.
fn turns(queue: Fifo, items: Vec<Vec<u8>>) -> Call {
    Box::new(move || {
        queue.push(&items).unwrap();
        assert_eq!(queue.pop(items.len() as u64).unwrap().len(), items.len());
    })
}

/// So many calls, and what a queue may keep of its end in memory.
fn backlog(items: &[Vec<u8>], calls: u64) -> u64 {
    let size: usize = items.iter().map(Vec::len).sum();
    calls + WARM + (BEYOND_THE_TAIL / size) as u64
}

/// A pop of what was there when the queue was opened.
fn pop(path: &Path, items: Vec<Vec<u8>>, calls: u64) -> Call {
    let queue = open(path);
    (0..backlog(&items, calls)).for_each(|_| queue.push(&items).unwrap());
    queue.close().unwrap();
    let queue = open(path);
    Box::new(move || {
        assert_eq!(queue.pop(items.len() as u64).unwrap().len(), items.len());
    })
}

fn add(queue: MpmcQueue, items: Vec<Vec<u8>>) -> Call {
    Box::new(move || queue.add(&items).unwrap())
}

/// A read under one of so many labels, of what was there when the queue was opened.
fn next(path: &Path, items: Vec<Vec<u8>>, calls: u64, labels: usize) -> Call {
    let open = || MpmcQueue::new(path, std::time::Duration::ZERO).unwrap();
    let queue = open();
    (0..backlog(&items, calls)).for_each(|_| queue.add(&items).unwrap());
    for label in 0..labels {
        queue.next(&label.to_string(), Oldest, 1).unwrap();
    }
    queue.close().unwrap();
    let queue = open();
    Box::new(move || {
        let next = queue.next("0", Oldest, items.len() as u64).unwrap();
        assert_eq!(next.items.len(), items.len());
    })
}
