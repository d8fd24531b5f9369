//! What a call costs beside the bare RocksDB call of the same size: both by turns in one process, so
//! that both meet the same noise.
//!
//! `ROCKSQ_BESIDE` names the directory to measure in, memory unless it is said otherwise. RocksDB sets
//! no space aside, as for a queue: otherwise what its log will need is paid for before it is measured.
//!
//! With the argument `queue` it measures the queue alone, for `python.py` to compare with.

// A bench may panic: that is how a difference shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::path::Path;
use std::time::Instant;

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;
use rust_rocksdb::{DB, DBCompressionType, Options};

const SIZES: [usize; 2] = [100, 1024];
const BLOCK: usize = 500;
const ROUNDS: usize = 400;
const CURSOR: [u8; 24] = [7; 24];

fn main() {
    let place = std::env::var("ROCKSQ_BESIDE").unwrap_or_else(|_| "/dev/shm".into());
    if std::env::args().any(|argument| argument == "queue") {
        return SIZES
            .iter()
            .for_each(|size| queue_alone(Path::new(&place), *size));
    }
    println!(
        "nanoseconds a call, the median of {ROUNDS} rounds of {BLOCK} calls by turns, in {place}"
    );
    for size in SIZES {
        measure(Path::new(&place), size);
    }
}

fn measure(place: &Path, size: usize) {
    let home = tempfile::tempdir_in(place).unwrap();
    let [records, cursor] = ["records", "cursor"].map(|name| bare(&home.path().join(name)));
    let queue = Fifo::new(home.path().join("queue"), u64::MAX).unwrap();
    let item = vec![7; size];
    let mut next = 0_u64;
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        times[0].push(timed(|| {
            records.put(next.to_be_bytes(), &item).unwrap();
            next += 1;
        }));
        times[1].push(timed(|| queue.push(&[&item]).unwrap()));
        times[2].push(timed(|| cursor.put(b"cursor", CURSOR).unwrap()));
        times[3].push(timed(|| assert_eq!(queue.pop(1).unwrap().len(), 1)));
    }
    let [put, push, move_cursor, pop] = times.map(median);
    let ratio = push / put;
    println!("{size} bytes: put {put:.0}, push {push:.0}, ratio {ratio:.2}");
    let ratio = pop / move_cursor;
    println!("{size} bytes: put of a cursor {move_cursor:.0}, pop {pop:.0}, ratio {ratio:.2}");
}

fn queue_alone(place: &Path, size: usize) {
    let home = tempfile::tempdir_in(place).unwrap();
    let queue = Fifo::new(home.path().join("queue"), u64::MAX).unwrap();
    let item = vec![7; size];
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..ROUNDS {
        times[0].push(timed(|| queue.push(&[&item]).unwrap()));
        times[1].push(timed(|| assert_eq!(queue.pop(1).unwrap().len(), 1)));
    }
    let [push, pop] = times.map(median);
    println!("{size} {push} {pop}");
}

/// RocksDB as it comes, without compression.
fn bare(path: &Path) -> DB {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_compression_type(DBCompressionType::None);
    options.set_allow_fallocate(false);
    DB::open(&options, path).unwrap()
}

/// Nanoseconds of one of a block of calls.
fn timed(mut call: impl FnMut()) -> f64 {
    let begin = Instant::now();
    (0..BLOCK).for_each(|_| call());
    begin.elapsed().as_nanos() as f64 / BLOCK as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}
