//! Pushes that wait for the device, from several threads at once: those who come while a sync runs
//! share the next one.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput};
use rocksq::Durability;
use rocksq::blocking::PersistentQueueWithCapacity;
use rust_rocksdb::{DB, WriteOptions};

const ITEM: [u8; 1 << 10] = [7; 1 << 10];
const THREADS: [u64; 3] = [1, 4, 16];

/// Measures a synced push beside RocksDB's own synced put; an iteration is one by each thread.
pub fn compare(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("synced push, 1 KiB");
    for threads in THREADS {
        group.throughput(Throughput::Elements(threads));
        group.bench_function(BenchmarkId::new("rocksq", threads), |bencher| {
            bencher.iter_custom(|calls| in_a_directory(|path| push(path, threads, calls)));
        });
        group.bench_function(BenchmarkId::new("rocksdb", threads), |bencher| {
            bencher.iter_custom(|calls| in_a_directory(|path| put(path, threads, calls)));
        });
    }
    group.finish();
}

fn in_a_directory(measured: impl FnOnce(&Path) -> Duration) -> Duration {
    let directory = tempfile::tempdir().unwrap();
    measured(&directory.path().join("queue"))
}

fn push(path: &Path, threads: u64, calls: u64) -> Duration {
    let queue = PersistentQueueWithCapacity::new(path, u64::MAX).unwrap();
    let spent = by_threads(threads, calls, |_| {
        queue.push_with(&[ITEM], Durability::Synced).unwrap();
    });
    assert_eq!(queue.len().unwrap(), threads * calls);
    spent
}

fn put(path: &Path, threads: u64, calls: u64) -> Duration {
    let db = DB::open_default(path).unwrap();
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    by_threads(threads, calls, |key| {
        db.put_opt(key.to_be_bytes(), ITEM, &synced).unwrap();
    })
}

/// Has each thread make so many calls, each with a number of its own; the time until all are done.
fn by_threads(threads: u64, calls: u64, call: impl Fn(u64) + Sync) -> Duration {
    let start = Instant::now();
    thread::scope(|scope| {
        for number in 0..threads {
            let call = &call;
            scope.spawn(move || (0..calls).for_each(|n| call(n * threads + number)));
        }
    });
    start.elapsed()
}
