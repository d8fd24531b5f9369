//! In a queue that is new and in one that much has passed through.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rocksq::blocking::PersistentQueueWithCapacity as Fifo;

use super::set;
use super::turns::{calls, compare, pops, pushes};
use crate::support::figures::{allocated, resident};
use crate::support::random::Random;
use crate::support::waiting::{PATIENCE, until};
use crate::support::{Home, MIB, ROOMY};

/// What one push carries.
const ITEMS: usize = 16;

/// Each of the families has a few tables, whatever has passed.
const FILES: usize = 40;
/// The allocator may keep what some memtables have had.
const ALLOCATOR: u64 = 64 * MIB;
/// So much longer may the opening take, beside what disturbs it.
const OPENING: Duration = Duration::from_millis(100);

/// What could add up.
#[derive(Debug)]
struct Held {
    files: usize,
    manifest: u64,
    disk: u64,
    resident: u64,
    opening: Duration,
}

/// What the queue holds once it is at rest and was opened anew.
fn held(path: &Path, queue: Fifo) -> (Held, Fifo) {
    until(PATIENCE, "the queue gives its disk back", || {
        allocated(path) < 32 * MIB
    });
    queue.close().unwrap();
    let begin = Instant::now();
    let queue = Fifo::new(path, ROOMY).unwrap();
    let opening = begin.elapsed();
    let files: Vec<_> = fs::read_dir(path).unwrap().map(Result::unwrap).collect();
    let is_manifest =
        |file: &&fs::DirEntry| file.file_name().to_string_lossy().starts_with("MANIFEST");
    let manifests = files.iter().filter(is_manifest);
    let held = Held {
        files: files.len(),
        manifest: manifests.map(|file| file.metadata().unwrap().len()).sum(),
        disk: allocated(path),
        resident: resident(),
        opening,
    };
    (held, queue)
}

/// Pushes and pops until so many bytes have passed. The consumer is a push behind, now and then
/// a hundred, so that some of it goes through tables.
fn pass(queue: &Fifo, bytes: u64) {
    let items: Vec<_> = (0..ITEMS)
        .map(|n| Random::new(n as u64).bytes(MIB as usize / ITEMS))
        .collect();
    for push in 0..bytes / MIB {
        queue.push(&items).unwrap();
        let waiting = if push % 1000 < 100 { 100 } else { 1 };
        while queue.len().unwrap() >= (waiting * ITEMS) as u64 {
            assert_eq!(queue.pop(ITEMS as u64).unwrap().len(), ITEMS);
        }
    }
    while !queue.pop(ITEMS as u64).unwrap().is_empty() {}
}

#[test]
fn what_has_passed_through_a_queue_leaves_nothing_behind() {
    let home = Home::in_memory();
    let [new, old] = ["new", "old"].map(|name| home.at(name));
    let bytes = set("ROCKSQ_GROWTH_GIB", 4) * 1024 * MIB;
    let queue = Fifo::new(&old, ROOMY).unwrap();
    pass(&queue, bytes / 4);
    let (early, queue) = held(&old, queue);
    let begin = Instant::now();
    pass(&queue, bytes - bytes / 4);
    let stats = queue.stats().unwrap();
    eprintln!(
        "{} MiB passed in {:?}; log {} MiB, tables {} MiB since the opening",
        bytes / MIB,
        begin.elapsed(),
        stats.log_bytes / MIB,
        stats.table_bytes / MIB
    );
    let (late, queue) = held(&old, queue);
    eprintln!("after a quarter: {early:?}\nafter all of it: {late:?}");
    assert!(late.files <= FILES, "{late:?}");
    assert!(late.manifest <= 2 * MIB, "{late:?}");
    assert!(late.disk <= 32 * MIB, "{late:?}");
    assert!(late.resident <= early.resident + ALLOCATOR, "{late:?}");
    assert!(late.opening <= early.opening * 3 / 2 + OPENING, "{late:?}");

    let fresh = Fifo::new(&new, ROOMY).unwrap();
    compare("push", || pushes(&fresh), || pushes(&queue));
    compare("pop", || pops(&fresh), || pops(&queue));
    let stats = |queue: &Fifo| calls(|| queue.stats().unwrap());
    compare("stats", || stats(&fresh), || stats(&queue));
}
